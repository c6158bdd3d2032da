import { bytesOf, newElements, type Tensor } from '@mooring/tensor';
import { joinRows, sliceRows } from './batch-tensors.ts';
import type { OnnxSession } from './session.ts';
import type { TensorSpec } from './signature.ts';

export interface WarmUpResult {
  /**
   * Microseconds of a run with one row: the fastest of several, because what makes others slower is what else the machine
   * does. The very first is left out: it pays for lazy set-up.
   */
  runUs: number;
  /** Why the model refused the made-up input, if it did. It may still serve real ones. */
  refused?: string;
}

const measuredRunsMax = 9;
const measuredRunsMin = 5;
/** A slow model is measured fewer times; a very slow one still fewer. */
const measuringMs = 50;
const measuringMsMax = 500;

/** Runs the model on made-up input (free dimensions 1, all zero), so that the first caller does not pay for set-up. */
export function warmUp(session: OnnxSession, nowMs: () => number): WarmUpResult {
  const { inputs, outputs } = zeros(session);
  try {
    session.run(inputs, outputs);
    const beganMs = nowMs();
    const took: number[] = [];
    const enough = (): boolean => {
      const limitMs = took.length < measuredRunsMin ? measuringMsMax : measuringMs;
      return took.length === measuredRunsMax || nowMs() - beganMs > limitMs;
    };
    do took.push(timeOf(() => session.run(inputs, outputs), nowMs));
    while (!enough());
    return { runUs: Math.max(1, Math.round(Math.min(...took) * 1_000)) };
  } catch (thrown) {
    return { runUs: 0, refused: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** Made-up input for a warm-up, and the names of all outputs. */
export function zeros({ signature }: Pick<OnnxSession, 'signature'>): { inputs: Tensor[]; outputs: string[] } {
  return {
    inputs: signature.inputs.map((spec) => sample(spec, 1, 0)),
    outputs: namesOf(signature.outputs),
  };
}

function timeOf(work: () => void, nowMs: () => number): number {
  const from = nowMs();
  work();
  return nowMs() - from;
}

const rowsTriedMax = 4_096;

/** How many rows, doubling, a run may have to take at most `limitMs`; at least 1, and 1 where no first dimension is free. */
export function rowsWithin(session: OnnxSession, limitMs: number, nowMs: () => number): number {
  const { inputs, outputs } = zeros(session);
  const free = session.signature.inputs.map(({ shape }) => typeof shape[0] === 'string');
  let rows = 1;
  let [part, withRows] = [inputs, inputs];
  try {
    for (; free.includes(true) && rows < rowsTriedMax; rows *= 2) {
      withRows = part.map((tensor, index) => (free[index] === true ? joinRows([tensor, tensor]) : tensor));
      session.run(withRows, outputs);
      const took = [1, 2, 3].map(() => timeOf(() => session.run(withRows, outputs), nowMs));
      if (Math.min(...took) > limitMs) break;
      part = withRows;
    }
  } catch {
    // The model takes no more rows than that.
  }
  return rows;
}

/**
 * Why requests to this model must not share a run, or undefined when they may. Asked of the signature first (every input
 * and output must begin with a free dimension), then of the model: two different rows must give the same answers together
 * as each alone. A model that mixes its rows (normalises over the batch, counts them) would give callers each other's data.
 */
export function whyNotBatched(session: OnnxSession): string | undefined {
  const { inputs, outputs } = session.signature;
  const fixed = [...inputs, ...outputs].find((spec) => typeof spec.shape[0] !== 'string');
  if (fixed !== undefined) return `'${fixed.name}' has no free first dimension`;
  if (inputs.length === 0) return 'it has no input';
  const rows = [1, 2].map((seed) => inputs.map((spec) => sample(spec, 1, seed)));
  try {
    const alone = rows.map((row) => session.run(row, namesOf(outputs)));
    return rowsDiffer(session, rows, alone, sameValues);
  } catch (thrown) {
    return `it refused a trial run: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

const exactSizes = [2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64];

/**
 * True when rows give bit for bit the same answers in runs of every size tried as each alone: then sharing runs cannot be
 * seen in an answer at all. Kernels may sum in another order for other numbers of rows.
 */
export function batchesExactly(session: OnnxSession, rowsMax: number): boolean {
  const { inputs, outputs } = session.signature;
  const sizes = exactSizes.filter((size) => size <= rowsMax);
  const rows = Array.from({ length: Math.max(0, ...sizes) }, (_, seed) => inputs.map((spec) => noise(spec, seed + 1)));
  try {
    const alone = rows.map((row) => session.run(row, namesOf(outputs)));
    return sizes.every((size) => rowsDiffer(session, rows.slice(0, size), alone, sameBits) === undefined);
  } catch {
    return false;
  }
}

/** Runs `rows` together and compares each with its answer alone. Throws what the model throws. */
function rowsDiffer(
  session: OnnxSession,
  rows: readonly (readonly Tensor[])[],
  alone: readonly (readonly Tensor[])[],
  same: (a: Tensor, b: Tensor) => boolean,
): string | undefined {
  const { inputs, outputs } = session.signature;
  const joined = inputs.map((_spec, index) => joinRows(rows.map((row) => row[index] as Tensor)));
  const together = session.run(joined, namesOf(outputs));
  const short = together.find((tensor) => tensor.shape[0] !== rows.length);
  if (short !== undefined) return `output '${short.name}' does not have one row for each row of input`;
  const mixed = together.find((tensor, index) =>
    rows.some((_row, at) => !same(sliceRows(tensor, at, at + 1), alone[at]?.[index] as Tensor)),
  );
  return mixed === undefined ? undefined : `output '${mixed.name}' of a row depends on the other rows`;
}

function namesOf(specs: readonly TensorSpec[]): string[] {
  return specs.map((spec) => spec.name);
}

/** What a clock may be off; rows that cost more together than alone are not to be shared. */
const sharedCostMax = 1.05;
const sharedTriesMax = 5;

/** Whether a run of `rows` takes no longer than as many runs of one row, of which each takes `runUs`. */
export function sharingSaves(session: OnnxSession, rows: number, runUs: number, nowMs: () => number): boolean {
  const { inputs, outputs } = zeros(session);
  const joined = inputs.map((tensor) => joinRows(Array.from({ length: rows }, () => tensor)));
  const limitMs = (rows * runUs * sharedCostMax) / 1_000;
  for (let tried = 0; tried < sharedTriesMax; tried++) {
    if (timeOf(() => session.run(joined, outputs), nowMs) <= limitMs) return true;
  }
  return false;
}

/** One row of floating point numbers with all their digits; other types as in `sample`. */
function noise(spec: TensorSpec, seed: number): Tensor {
  const tensor = sample(spec, 1, seed);
  if (!spec.datatype.startsWith('FP')) return tensor;
  const elements = tensor.elements as Float32Array;
  for (let index = 0; index < elements.length; index++) elements[index] = 4 * Math.sin(index * 12.9898 + seed * 78.233);
  return tensor;
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

function sameBits(a: Tensor, b: Tensor): boolean {
  if (a.datatype === 'BYTES' || b.datatype === 'BYTES') {
    return (
      a.elements.length === b.elements.length && a.elements.every((element, index) => element === b.elements[index])
    );
  }
  return Buffer.compare(bytesOf(a.elements), bytesOf(b.elements)) === 0;
}
