import { basename, dirname } from 'node:path';
import { PlatformError } from '@mooring/errors';
import { ModelLoadError } from '@mooring/scoring-stream';
import { bytesOf, tensorError, textOf, viewElements, type DataType, type Elements, type Tensor } from '@mooring/tensor';
import ort from 'onnxruntime-node';
import type { ModelSignature, TensorSpec } from './signature.ts';

/** ONNX Runtime's messages hold whole type signatures; a person reads the first lines. */
const messageMax = 1_000;

const datatypes: Readonly<Record<string, DataType>> = {
  bool: 'BOOL',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'BYTES',
};
const ortTypes = Object.fromEntries(Object.entries(datatypes).map(([type, datatype]) => [datatype, type]));

export interface OnnxSession {
  readonly signature: ModelSignature;
  /** Outputs of the model that are sequences or maps, which no protocol carries; they are left out. */
  readonly skippedOutputs: readonly string[];
  /**
   * Runs the model; blocks this thread meanwhile. `inputs` must have passed checkInputs. Rejects with `invalid_argument`
   * when the model refuses its input's form, else with `model_failed`.
   */
  run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]>;
  release(): Promise<void>;
}

/** Loads an .onnx file on the CPU. Rejects with ModelLoadError, which is permanent: the same file fails again. */
export async function loadSession(file: string, threads: number): Promise<OnnxSession> {
  // Its own error lines would repeat, in colour, what the rejected promise says.
  ort.env.logLevel = 'fatal';
  try {
    const session = await ort.InferenceSession.create(file, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
    });
    return sessionOf(session);
  } catch (thrown) {
    if (thrown instanceof ModelLoadError) throw thrown;
    const why = tidyMessage(thrown, file);
    throw new ModelLoadError('BadArgument', `the model ${basename(file)} cannot be loaded: ${why}`, true, thrown);
  }
}

function sessionOf(session: ort.InferenceSession): OnnxSession {
  const inputs = session.inputMetadata.map((meta) => specOf(meta) ?? refuse(meta.name));
  const outputs = session.outputMetadata.flatMap((meta) => specOf(meta) ?? []);
  const skippedOutputs = session.outputMetadata.filter((meta) => !meta.isTensor).map((meta) => meta.name);
  if (outputs.length === 0) refuse(skippedOutputs.join(', '));
  return {
    signature: { inputs, outputs },
    skippedOutputs,
    run: (tensors, names) => runSession(session, tensors, names),
    release: () => session.release(),
  };
}

function refuse(name: string): never {
  const message = `'${name}' is a sequence or a map, not a tensor: export the model with tensors only (scikit-learn: zipmap off)`;
  throw new ModelLoadError('BadArgument', message, true);
}

function specOf(meta: ort.InferenceSession.ValueMetadata): TensorSpec | undefined {
  if (!meta.isTensor) return undefined;
  const datatype = datatypes[meta.type];
  if (datatype === undefined) throw new Error(`'${meta.name}' has element type ${meta.type}, which is not supported`);
  return { name: meta.name, datatype, shape: meta.shape };
}

async function runSession(
  session: ort.InferenceSession,
  tensors: readonly Tensor[],
  names: readonly string[],
): Promise<Tensor[]> {
  const feeds = Object.fromEntries(tensors.map((tensor) => [tensor.name, feedOf(tensor)]));
  let results: ort.InferenceSession.OnnxValueMapType;
  try {
    results = await session.run(feeds, [...names]);
  } catch (thrown) {
    throw runError(thrown);
  }
  return names.map((name) => tensorOf(name, results[name] as ort.Tensor));
}

/**
 * A plain object in place of `new ort.Tensor`: that class holds halves in a Float16Array, which the native side of
 * onnxruntime-node 1.30 does not know ("not enough space: expected 4, got 0"); it takes them as Uint16Array.
 */
function feedOf(tensor: Tensor): ort.Tensor {
  const feed = {
    type: ortTypes[tensor.datatype],
    dims: tensor.shape,
    data: dataOf(tensor),
    location: 'cpu',
    size: tensor.elements.length,
  };
  return feed as unknown as ort.Tensor;
}

function dataOf(tensor: Tensor): Elements | string[] {
  if (tensor.datatype === 'BYTES')
    return tensor.elements.map((element, index) => modelText(textOf(element, index, tensor.name), index, tensor));
  return tensor.datatype === 'FP16' ? viewElements('UINT16', bytesOf(tensor.elements)) : tensor.elements;
}

/** onnxruntime-node hands texts over as C strings: the model would silently see less. */
function modelText(text: string, index: number, tensor: Tensor): string {
  if (!text.includes('\0')) return text;
  throw tensorError('TENSOR_VALUE_INVALID', tensor.name, `element ${index} holds a NUL character`, 'text without NUL');
}

function tensorOf(name: string, value: ort.Tensor): Tensor {
  const datatype = datatypes[value.type];
  if (datatype === undefined)
    throw new PlatformError('model_failed', 'MODEL_OUTPUT_UNSUPPORTED', `output '${name}' has type ${value.type}`);
  if (datatype === 'BYTES') return { name, datatype, shape: value.dims, elements: value.data as string[] };
  return { name, datatype, shape: value.dims, elements: value.data as unknown as Elements };
}

const formRefused = /Got invalid dimensions|Invalid rank|Unexpected input data type/;
const memoryRefused = /Failed to allocate memory|bad_alloc|storage size overflowed/;

function runError(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  const why = tidyMessage(thrown);
  if (formRefused.test(why))
    return new PlatformError('invalid_argument', 'MODEL_REFUSED_INPUT', why, { cause: thrown });
  const reason = memoryRefused.test(why) ? 'MODEL_OUT_OF_MEMORY' : 'MODEL_RUN_FAILED';
  return new PlatformError('model_failed', reason, `the model failed: ${why}`, { cause: thrown, modelStatus: 500 });
}

/** The runtime's own message on one line, without paths of this machine, cut to a length that a person reads. */
function tidyMessage(thrown: unknown, file?: string): string {
  let text = thrown instanceof Error ? thrown.message : String(thrown);
  if (file !== undefined) text = text.replaceAll(`${dirname(file)}/`, '').replaceAll(dirname(file), 'its folder');
  // Where in ONNX Runtime's source the check stands, and that function's signature.
  text = text
    .replaceAll(/\/onnxruntime_src\/\S+:\d+ /g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return text.length > messageMax ? `${text.slice(0, messageMax)}...` : text;
}
