import { newElements, type Elements, type Tensor } from '@mooring/tensor';
import type { RowInput } from './row-input.ts';

type Memory = Elements | string[];

/** Rows that a run of the model gets, in memory that is used again for the next ones. */
export class RowBatch {
  readonly capacity: number;
  /** Rows in it. */
  rows = 0;
  /** Which row of the file each is. */
  readonly numbers: Float64Array;
  readonly #inputs: readonly RowInput[];
  /** For each input; of one whose rows have shapes of their own, that of the only row. */
  readonly #memory: Memory[];
  readonly #shapes: (readonly number[])[];

  constructor(inputs: readonly RowInput[], capacity: number) {
    this.capacity = capacity;
    this.numbers = new Float64Array(capacity);
    this.#inputs = inputs;
    this.#memory = inputs.map(({ datatype, width }) =>
      datatype === 'BYTES' ? [] : newElements(datatype, width === undefined ? 0 : width * capacity),
    );
    this.#shapes = inputs.map(({ shape }) => shape as number[]);
  }

  /** Memory of an input, which readers may fill themselves from `rows * width` on. */
  memory(input: number): Memory {
    return this.#memory[input] as Memory;
  }

  /** Sets what the next row has for an input; `shape` without the dimension of rows. */
  set(input: number, elements: Tensor['elements'], shape: readonly number[]): void {
    const { width } = this.#inputs[input] as RowInput;
    if (width === undefined) {
      this.#memory[input] = elements as Memory;
      this.#shapes[input] = shape;
      return;
    }
    const memory = this.#memory[input] as Memory;
    if (Array.isArray(memory))
      for (let at = 0; at < width; at++) memory[this.rows * width + at] = elements[at] as string;
    else memory.set(elements as never, this.rows * width);
  }

  /** Counts the row in that was set. */
  add(number: number): void {
    this.numbers[this.rows++] = number;
  }

  clear(): void {
    this.rows = 0;
  }

  /** The rows `from` up to `to` as the model takes them; views. */
  tensors(from: number, to: number): Tensor[] {
    return this.#inputs.map(({ name, datatype, width, hasRows }, index) => {
      const memory = this.#memory[index] as Memory;
      const own = this.#shapes[index] as readonly number[];
      const shape = hasRows ? [to - from, ...own] : own;
      if (Array.isArray(memory)) {
        const elements = width === undefined ? memory : memory.slice(from * width, to * width);
        return { name, datatype: 'BYTES', shape, elements };
      }
      const elements = width === undefined ? memory : memory.subarray(from * width, to * width);
      return { name, datatype, shape, elements } as Tensor;
    });
  }
}
