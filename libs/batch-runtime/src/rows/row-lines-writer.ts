import type { TensorSpec } from '@mooring/inference';
import { numberBytesMax, writeShortest, writeWhole, type Tensor } from '@mooring/tensor';
import { writeFloat32 } from './float32-text.ts';
import type { PartWriter } from '../parts/part-writer.ts';

const flushBytes = 128 * 1024;
const half = 2 ** 32;
const comma = 0x2c;
const minus = 0x2d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
/** Elements that are written before what is ready is given away. */
const chunkElements = 2_048;
/** A comma and a bracket. */
const spareBytes = 8;
/** Of a UTF-16 unit in UTF-8. */
const unitBytesMax = 3;

export type LineForm = 'json' | 'csv';

/** Predictions of .csv files are fields, all others JSON. */
export function lineFormOf(outputFileName: string): LineForm {
  return outputFileName.toLowerCase().endsWith('.csv') ? 'csv' : 'json';
}

/**
 * Writes a line for each row, straight into bytes. JSON: `{"row":7,"label":1,"probabilities":[0.1,0.9],"file_name":"a/b.csv"}`, where
 * `row` counts from 0 in its file; an output that is itself called row or file_name stands in its place. CSV, without a header:
 * `7,1,0.1,0.9,a/b.csv`, all elements of an output one behind the other. A number has the digits that tell it from all others of its datatype;
 * what JSON has no number for is a text.
 */
export class RowLinesWriter {
  readonly #part: PartWriter;
  readonly #form: LineForm;
  /** What stands before each output's value, the first of them with all before it. */
  readonly #before: readonly Buffer[];
  readonly #begin: Buffer;
  readonly #hasRow: boolean;
  readonly #end: Buffer;
  #memory = Buffer.allocUnsafeSlow(2 * flushBytes);
  #at = 0;
  #lines = 0;

  constructor(part: PartWriter, form: LineForm, outputs: readonly TensorSpec[], fileName: string) {
    this.#part = part;
    this.#form = form;
    const names = outputs.map(({ name }) => name);
    const isJson = form === 'json';
    this.#hasRow = !isJson || !names.includes('row');
    this.#begin = Buffer.from(isJson ? (this.#hasRow ? '{"row":' : '{') : '');
    this.#before = names.map((name, index) => {
      const separator = index > 0 || this.#hasRow ? ',' : '';
      return Buffer.from(isJson ? `${separator}${JSON.stringify(name)}:` : separator);
    });
    const file = isJson ? `,"file_name":${JSON.stringify(fileName)}}` : `,${csvText(fileName)}`;
    this.#end = Buffer.from(`${isJson && names.includes('file_name') ? '}' : file}\n`);
  }

  /** The rows of one run; `numbers[from + i]` is the number of its row `i`. `outputs` have a dimension of rows where `hasRows`. */
  write(outputs: readonly Tensor[], numbers: Float64Array, from: number, rows: number, hasRows: boolean): void {
    for (let row = 0; row < rows; row++) {
      this.#room(this.#begin.length + numberBytesMax + this.#end.length);
      this.#put(this.#begin);
      if (this.#hasRow) this.#at = writeWhole(this.#memory, this.#at, numbers[from + row] as number);
      for (let output = 0; output < outputs.length; output++) {
        const tensor = outputs[output] as Tensor;
        const width = tensor.elements.length / rows;
        this.#room((this.#before[output] as Buffer).length);
        this.#put(this.#before[output] as Buffer);
        if (this.#form === 'json') this.#nested(tensor, hasRows ? 1 : 0, row * width);
        else this.#flat(tensor, row * width, (row + 1) * width);
      }
      this.#room(this.#end.length);
      this.#put(this.#end);
      this.#lines += 1;
      if (this.#at >= flushBytes) this.flush();
    }
  }

  flush(): void {
    if (this.#at === 0) return;
    this.#part.write(this.#memory.subarray(0, this.#at), this.#lines);
    this.#at = 0;
    this.#lines = 0;
  }

  /** Returns where the next element is. */
  #nested(tensor: Tensor, depth: number, from: number): number {
    const { shape } = tensor;
    if (depth >= shape.length) {
      this.#flat(tensor, from, from + 1);
      return from + 1;
    }
    const length = shape[depth] as number;
    this.#room(1);
    this.#memory[this.#at++] = openBracket;
    let at = from;
    if (depth === shape.length - 1) {
      this.#flat(tensor, from, from + length);
      at += length;
    } else {
      for (let index = 0; index < length; index++) {
        this.#room(1);
        if (index > 0) this.#memory[this.#at++] = comma;
        at = this.#nested(tensor, depth + 1, at);
      }
    }
    this.#room(1);
    this.#memory[this.#at++] = closeBracket;
    return at;
  }

  /** Elements with commas between them. */
  #flat(tensor: Tensor, from: number, to: number): void {
    for (let at = from; at < to; at += chunkElements) {
      const end = Math.min(to, at + chunkElements);
      this.#room((end - at) * (numberBytesMax + 1));
      if (at > from) this.#memory[this.#at++] = comma;
      this.#chunk(tensor, at, end);
      if (this.#at >= flushBytes) this.flush();
    }
  }

  #chunk(tensor: Tensor, from: number, to: number): void {
    const { elements } = tensor;
    switch (tensor.datatype) {
      case 'BYTES':
        return this.#texts(tensor.elements as readonly string[], from, to);
      case 'FP16':
      case 'FP32':
        return this.#floats(elements as Float32Array, from, to, writeFloat32);
      case 'FP64':
        return this.#floats(elements as Float64Array, from, to, writeShortest);
      case 'INT64':
      case 'UINT64':
        return this.#wides(elements as BigInt64Array | BigUint64Array, from, to);
      default:
        return this.#wholes(elements as Int32Array, from, to, tensor.datatype === 'BOOL');
    }
  }

  #floats(elements: Float32Array | Float64Array, from: number, to: number, writeFinite: typeof writeShortest): void {
    const memory = this.#memory;
    let at = this.#at;
    for (let index = from; index < to; index++) {
      if (index > from) memory[at++] = comma;
      const value = elements[index] as number;
      if (value - value === 0) at = writeFinite(memory, at, value);
      else at += memory.write(this.#form === 'json' ? `"${value}"` : String(value), at, 'latin1');
    }
    this.#at = at;
  }

  #wholes(elements: Int32Array, from: number, to: number, isBool: boolean): void {
    for (let index = from; index < to; index++) {
      if (index > from) this.#memory[this.#at++] = comma;
      if (isBool) this.#at += this.#memory.write(elements[index] === 0 ? 'false' : 'true', this.#at, 'latin1');
      else this.#whole(elements[index] as number);
    }
  }

  /** By halves, without a BigInt each, where a double holds the number. */
  #wides(elements: BigInt64Array | BigUint64Array, from: number, to: number): void {
    const signed = elements instanceof BigInt64Array;
    const halves = new Uint32Array(elements.buffer, elements.byteOffset + 8 * from, 2 * (to - from));
    for (let index = 0; index < to - from; index++) {
      if (index > 0) this.#memory[this.#at++] = comma;
      const high = halves[2 * index + 1] as number;
      const value = (signed ? high | 0 : high) * half + (halves[2 * index] as number);
      if (Number.isSafeInteger(value)) this.#whole(value);
      else this.#at += this.#memory.write(String(elements[from + index]), this.#at, 'latin1');
    }
  }

  #whole(value: number): void {
    if (value < 0) this.#memory[this.#at++] = minus;
    this.#at = writeWhole(this.#memory, this.#at, Math.abs(value));
  }

  #texts(elements: readonly string[], from: number, to: number): void {
    for (let index = from; index < to; index++) {
      const element = elements[index] as string;
      const text = this.#form === 'json' ? JSON.stringify(element) : csvText(element);
      this.#room(text.length * unitBytesMax);
      if (index > from) this.#memory[this.#at++] = comma;
      this.#at += this.#memory.write(text, this.#at, 'utf8');
      if (this.#at >= flushBytes) this.flush();
    }
  }

  #put(bytes: Buffer): void {
    // By hand: a call of copy costs more than these few bytes.
    const memory = this.#memory;
    const { length } = bytes;
    const from = this.#at;
    for (let index = 0; index < length; index++) memory[from + index] = bytes[index] as number;
    this.#at = from + length;
  }

  /** Room for so many bytes, and a little more. */
  #room(bytes: number): void {
    const needed = this.#at + bytes + spareBytes;
    if (needed <= this.#memory.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#memory.length));
    this.#memory.copy(larger, 0, 0, this.#at);
    this.#memory = larger;
  }
}

/** A line has no line end in it, so those of a text are escaped, as scripts' are. */
function csvText(text: string): string {
  const line = text.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return /[",]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
}
