import { newElements, type Tensor } from '@mooring/tensor';
import { joinRows, sliceRows } from './batch-tensors.ts';
import type { OnnxSession } from './session.ts';
import type { ModelSignature, TensorSpec } from './signature.ts';

export interface WarmUpResult {
  /** Microseconds of the second run with one row: the first one pays for lazy set-up. */
  runUs: number;
  /** Why the model refused the made-up input, if it did. It may still serve real ones. */
  refused?: string;
}

/** Runs the model on made-up input (free dimensions 1, all zero), so that the first caller does not pay for set-up. */
export async function warmUp(session: OnnxSession, nowMs: () => number): Promise<WarmUpResult> {
  const inputs = session.signature.inputs.map((spec) => sample(spec, 1, 0));
  const outputs = session.signature.outputs.map((spec) => spec.name);
  try {
    await session.run(inputs, outputs);
    const from = nowMs();
    await session.run(inputs, outputs);
    return { runUs: Math.round((nowMs() - from) * 1000) };
  } catch (thrown) {
    return { runUs: 0, refused: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/**
 * Why requests to this model must not share a run, or undefined when they may. Asked of the signature first (every input
 * and output must begin with a free dimension), then of the model: two different rows must give the same answers together
 * as each alone. A model that mixes its rows (normalises over the batch, counts them) would give callers each other's data.
 */
export async function whyNotBatched(session: OnnxSession): Promise<string | undefined> {
  const { inputs, outputs } = session.signature;
  const fixed = [...inputs, ...outputs].find((spec) => typeof spec.shape[0] !== 'string');
  if (fixed !== undefined) return `'${fixed.name}' has no free first dimension`;
  if (inputs.length === 0) return 'it has no input';
  const names = outputs.map((spec) => spec.name);
  const one = sampleRow(session.signature, 1);
  const two = sampleRow(session.signature, 2);
  const both = one.map((tensor, index) => joinRows([tensor, two[index] as Tensor]));
  try {
    const together = await session.run(both, names);
    const short = together.find((tensor) => tensor.shape[0] !== 2);
    if (short !== undefined) return `output '${short.name}' does not have one row for each row of input`;
    const alone = [await session.run(one, names), await session.run(two, names)];
    const mixed = together.find((tensor, index) =>
      alone.some((answers, row) => !sameValues(sliceRows(tensor, row, row + 1), answers[index] as Tensor)),
    );
    return mixed === undefined ? undefined : `output '${mixed.name}' of a row depends on the other rows`;
  } catch (thrown) {
    return `it refused a trial run: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

function sampleRow(signature: ModelSignature, seed: number): Tensor[] {
  return signature.inputs.map((spec) => sample(spec, 1, seed));
}

/** Small values, different from element to element and from seed to seed; all zero for seed 0. */
function sample(spec: TensorSpec, free: number, seed: number): Tensor {
  const { name, datatype } = spec;
  const shape = spec.shape.map((dimension) => (typeof dimension === 'number' ? dimension : free));
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  if (datatype === 'BYTES') return { name, datatype, shape, elements: Array.from({ length: count }, () => `${seed}`) };
  const elements = newElements(datatype, count);
  for (let index = 0; seed > 0 && index < count; index++) {
    const whole = (index + seed) % 2;
    if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) elements[index] = BigInt(whole);
    else elements[index] = datatype.startsWith('FP') ? ((index * 7 + seed * 3) % 11) / 11 : whole;
  }
  return { name, datatype, shape, elements };
}

/** Larger runs may sum in another order, so floating point answers may differ a little. */
const tolerance = 1e-3;

function sameValues(a: Tensor, b: Tensor): boolean {
  if (a.elements.length !== b.elements.length) return false;
  for (let index = 0; index < a.elements.length; index++) {
    const [left, right] = [a.elements[index], b.elements[index]];
    if (Object.is(left, right)) continue;
    if (typeof left !== 'number' || typeof right !== 'number') return false;
    const bound = tolerance * Math.max(1, Math.abs(left), Math.abs(right));
    if (!a.datatype.startsWith('FP') || !(Math.abs(left - right) <= bound)) return false;
  }
  return true;
}
