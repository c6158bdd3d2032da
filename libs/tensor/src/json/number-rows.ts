/** What a JSON array of numbers says, however it is nested. Lives no longer than the `read` that decodeJson calls. */
export class NumberRows {
  /** Row-major, in memory that is used again for the next body. */
  readonly values: Float64Array;
  /** Undefined: rows differ in length or depth. */
  readonly shape: readonly number[] | undefined;
  /** true or false are among them, as 1 and 0. */
  readonly booleans: boolean;
  /** The texts "NaN", "Infinity" or "-Infinity" are among them. */
  readonly texts: boolean;

  constructor(values: Float64Array, shape: readonly number[] | undefined, { booleans, texts }: NumberKinds) {
    this.values = values;
    this.shape = shape;
    this.booleans = booleans;
    this.texts = texts;
  }
}

/** An array, or the numbers of one. */
export function isRows(value: unknown): value is readonly unknown[] | NumberRows {
  return Array.isArray(value) || value instanceof NumberRows;
}

export interface NumberKinds {
  booleans: boolean;
  texts: boolean;
}

/** Thrown where the bytes hold what JSON.parse is left to deal with: what is rare, and what is wrong. */
export class NotForRows extends Error {
  override readonly name = 'NotForRows';
}
/** One for all, because a stack costs more than a small body; nobody looks at it. */
export const notForRows = new NotForRows('left to JSON.parse');
