import { basename } from 'node:path';
import { ModelLoadError } from '@mooring/scoring-stream';
import type { Tensor } from '@mooring/tensor';
import { createNative, type NativeMetadata, type NativeSession } from './native-session.ts';
import { datatypesByNumber, feedOf, tensorOf, type NativeTensor } from './native-tensors.ts';
import { runError, tidyMessage } from './run-error.ts';
import { outputNames, type TensorSpec, type ModelSignature } from './signature.ts';

export interface OnnxSession {
  readonly signature: ModelSignature;
  /** Outputs of the model that are sequences or maps, which no protocol carries; they are left out. */
  readonly skippedOutputs: readonly string[];
  /**
   * Runs the model; blocks this thread meanwhile. `inputs` must have passed checkInputs. Throws `invalid_argument` when
   * the model refuses its input's form, else `model_failed`.
   */
  run(inputs: readonly Tensor[], outputs: readonly string[]): Tensor[];
  release(): void;
}

/**
 * Loads an .onnx file, or the bytes of one, on the CPU; blocks this thread meanwhile. Throws ModelLoadError, which is
 * permanent: the same file fails again.
 */
export function loadSession(model: string | Uint8Array, threads: number): OnnxSession {
  const file = typeof model === 'string' ? model : undefined;
  try {
    return sessionOf(createNative(model, threads));
  } catch (thrown) {
    if (thrown instanceof ModelLoadError) throw thrown;
    const why = tidyMessage(thrown, file);
    const name = file === undefined ? 'the model' : `the model ${basename(file)}`;
    throw new ModelLoadError('BadArgument', `${name} cannot be loaded: ${why}`, true, thrown);
  }
}

function sessionOf(session: NativeSession): OnnxSession {
  const inputs = session.inputMetadata.map((meta) => specOf(meta) ?? refuse(meta.name));
  const outputs = session.outputMetadata.flatMap((meta) => specOf(meta) ?? []);
  const skippedOutputs = session.outputMetadata.filter((meta) => !meta.isTensor).map((meta) => meta.name);
  if (outputs.length === 0) refuse(skippedOutputs.join(', '));
  const signature = { inputs, outputs };
  const all = outputNames(signature);
  const held: Held = { fetches: fetchesOf(all), feeds: new Map() };
  return {
    signature,
    skippedOutputs,
    run: (tensors, names) => runSession(session, held, tensors, names, all),
    release: () => session.dispose(),
  };
}

function refuse(name: string): never {
  const message = `'${name}' is a sequence or a map, not a tensor: export the model with tensors only (scikit-learn: zipmap off)`;
  throw new ModelLoadError('BadArgument', message, true);
}

function specOf(meta: NativeMetadata): TensorSpec | undefined {
  if (!meta.isTensor) return undefined;
  const datatype = datatypesByNumber[meta.type];
  if (datatype === undefined) throw new Error(`'${meta.name}' has element type ${meta.type}, which is not supported`);
  const shape = meta.shape.map((size, index) => (size < 0 ? (meta.symbolicDimensions[index] ?? '') : size));
  return { name: meta.name, datatype, shape };
}

/**
 * What one session is given for each run, kept from run to run: of 7.3 us that a run of iris took, 0.9 went into new objects
 * that the native side had to look through, and into giving small new arrays memory that it can see.
 */
interface Held {
  /** All outputs. */
  fetches: Readonly<Record<string, null>>;
  /** Small inputs by name, filled in anew for each run. */
  feeds: Map<string, NativeTensor>;
}

/** V8 keeps smaller ones inside its heap, and moves them out when native code asks for their memory. */
const movedBytesMax = 64;

function feedFor(tensor: Tensor, feeds: Held['feeds']): NativeTensor {
  if (tensor.datatype === 'BYTES' || tensor.datatype === 'FP16' || tensor.elements.byteLength > movedBytesMax)
    return feedOf(tensor);
  const held = feeds.get(tensor.name);
  if (held === undefined || held.size !== tensor.elements.length) {
    // A copy: the caller's may be a view of what came over the wire.
    const feed = feedOf({ ...tensor, elements: tensor.elements.slice() });
    feeds.set(tensor.name, feed);
    return feed;
  }
  (held.data as Float32Array).set(tensor.elements as Float32Array);
  held.dims = tensor.shape;
  return held;
}

function fetchesOf(names: readonly string[]): Record<string, null> {
  const fetches: Record<string, null> = {};
  for (const name of names) fetches[name] = null;
  return fetches;
}

function runSession(
  session: NativeSession,
  held: Held,
  tensors: readonly Tensor[],
  names: readonly string[],
  all: readonly string[],
): Tensor[] {
  const feeds: Record<string, NativeTensor> = {};
  for (const tensor of tensors) feeds[tensor.name] = feedFor(tensor, held.feeds);
  let results: Readonly<Record<string, NativeTensor>>;
  try {
    results = session.run(feeds, names === all ? held.fetches : fetchesOf(names));
  } catch (thrown) {
    throw runError(thrown);
  }
  return names.map((name) => tensorOf(name, results[name] as NativeTensor));
}
