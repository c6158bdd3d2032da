import { decodeJson } from '@mooring/tensor';
import { BadRow } from '../input/csv-fields.ts';
import { FileProblem } from '../input/file-problem.ts';
import type { ColumnsPlan } from './columns-plan.ts';
import * as numbers from './number-at.ts';
import type { RowBatch } from './row-batch.ts';
import type { RowInput } from './row-input.ts';
import { takeColumns, takeList } from './take-row.ts';

// In this module: what is imported is looked up each time.
const { numberAt, end: numberEnd } = numbers;
const quote = 0x22;
const comma = 0x2c;
const zero = 0x30;
const colon = 0x3a;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Members of a row beyond which their order is not learnt. */
const membersMax = 4_096;
const words = ['true', 'false', 'null'].map((word) => Buffer.from(word));

/** The order that members of rows have: their names as JSON writes them, and which element of the input each is. */
interface Order {
  names: Buffer[];
  /** -1: none. */
  elements: Int32Array;
}

/**
 * Reads rows of JSON lines. Numbers of objects whose members have the order of the row before, and of flat arrays, go straight from
 * their bytes into the batch; whatever is unusual or wrong goes through JSON.parse, which also words the error.
 */
export class JsonRows {
  readonly #inputs: readonly RowInput[];
  /** Undefined: rows are arrays, or it is not known what they are. */
  readonly #plan: ColumnsPlan | undefined;
  readonly #planFor: (columns: readonly string[]) => ColumnsPlan;
  /** Elements of a row that can be read straight from the bytes; 0: none can. */
  readonly #quickWidth: number;
  #order: Order | undefined;

  constructor(
    inputs: readonly RowInput[],
    columns: readonly string[] | undefined,
    planFor: (columns: readonly string[]) => ColumnsPlan,
  ) {
    this.#inputs = inputs;
    this.#planFor = planFor;
    this.#plan = columns === undefined ? undefined : planFor(columns);
    const [input] = inputs;
    const quick = inputs.length === 1 && (input?.datatype === 'FP32' || input?.datatype === 'FP64');
    this.#quickWidth = quick && this.#plan?.kind !== 'values' ? (input?.width ?? 0) : 0;
    if (this.#plan !== undefined && this.#plan.columns.length !== this.#quickWidth) this.#quickWidth = 0;
    if (columns !== undefined) this.#learn(columns);
  }

  get plan(): ColumnsPlan | undefined {
    return this.#plan;
  }

  /** Puts the row into the batch; does not count it in. Throws what badRowMessage words. What follows the row is a line end. */
  read(buffer: Buffer, start: number, end: number, batch: RowBatch): void {
    if (this.#quickWidth > 0) {
      const quick =
        this.#plan === undefined
          ? this.#quickList(buffer, start, end, batch)
          : this.#quickObject(buffer, start, end, batch);
      if (quick) return;
    }
    decodeJson(buffer.subarray(start, end), 'the row', (value) => this.#take(value, batch));
  }

  #take(value: unknown, batch: RowBatch): void {
    if (Array.isArray(value)) {
      if (this.#plan !== undefined) throw new BadRow('the row is an array, and the first row of the file an object');
      return takeList(this.#inputs, value, batch);
    }
    if (typeof value !== 'object' || value === null) {
      const kind = value === null ? 'null' : `a ${typeof value}`;
      throw new BadRow(`the row is ${kind}; a row is an object or an array of numbers`);
    }
    const row = value as Record<string, unknown>;
    const names = Object.keys(row);
    const plan = this.#plan ?? this.#planOfRow(names);
    takeColumns(this.#inputs, plan, (column) => (Object.hasOwn(row, column) ? row[column] : undefined), batch);
    if (this.#plan !== undefined) this.#learn(names);
  }

  /** The file does not say what its rows have, so each says it itself. */
  #planOfRow(names: readonly string[]): ColumnsPlan {
    try {
      return this.#planFor(names);
    } catch (thrown) {
      if (thrown instanceof FileProblem) throw new BadRow(`the row ${thrown.message}`);
      throw thrown;
    }
  }

  #learn(names: readonly string[]): void {
    if (this.#quickWidth === 0 || this.#plan === undefined || names.length > membersMax) return;
    const { columns } = this.#plan;
    const places = new Map(columns.map((column, place) => [column, place]));
    // Of a column that makes two elements, or that the rows lack, JSON.parse knows what to say.
    if (places.size !== columns.length || columns.some((column) => !names.includes(column))) return;
    this.#order = {
      names: names.map((name) => Buffer.from(JSON.stringify(name))),
      elements: Int32Array.from(names, (name) => places.get(name) ?? -1),
    };
  }

  /** False: not for this reader. */
  #quickObject(source: Buffer, start: number, end: number, batch: RowBatch): boolean {
    const order = this.#order;
    if (order === undefined) return false;
    const { names, elements } = order;
    const memory = batch.memory(0) as Float32Array;
    const base = batch.rows * this.#quickWidth;
    let at = skipBlanks(source, start, end);
    if (source[at] !== openBrace) return false;
    for (let member = 0; member < names.length; member++) {
      at = skipBlanks(source, at + 1, end);
      const name = names[member] as Buffer;
      for (let index = 0; index < name.length; index++) if (source[at + index] !== name[index]) return false;
      at = skipBlanks(source, at + name.length, end);
      if (source[at] !== colon) return false;
      at = skipBlanks(source, at + 1, end);
      const element = elements[member] as number;
      if (element < 0) at = skipPlain(source, at, end);
      else {
        const value = numberAt(source, at);
        at = numberEnd[0] as number;
        memory[base + element] = value;
        // What was finite must be so as a smaller float.
        if ((memory[base + element] as number) - (memory[base + element] as number) !== 0) return false;
      }
      if (at < 0) return false;
      at = skipBlanks(source, at, end);
      if (source[at] !== (member === names.length - 1 ? closeBrace : comma)) return false;
    }
    return at < end && skipBlanks(source, at + 1, end) === end;
  }

  #quickList(source: Buffer, start: number, end: number, batch: RowBatch): boolean {
    const memory = batch.memory(0) as Float32Array;
    const width = this.#quickWidth;
    const base = batch.rows * width;
    let at = skipBlanks(source, start, end);
    if (source[at] !== openBracket) return false;
    for (let element = 0; element < width; element++) {
      at = skipBlanks(source, at + 1, end);
      const close = element === width - 1 ? closeBracket : comma;
      const digit = (source[at] as number) - zero;
      if (digit >>> 0 <= 9 && source[at + 1] === close) {
        // Pixels and flags are most of what long lists hold.
        memory[base + element] = digit;
        at += 1;
        continue;
      }
      memory[base + element] = numberAt(source, at);
      at = numberEnd[0] as number;
      if (at < 0 || (memory[base + element] as number) - (memory[base + element] as number) !== 0) return false;
      at = skipBlanks(source, at, end);
      if (source[at] !== close) return false;
    }
    return at < end && skipBlanks(source, at + 1, end) === end;
  }
}

function skipBlanks(source: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && (source[at] === 0x20 || source[at] === 0x09 || source[at] === 0x0d)) at += 1;
  return at;
}

/** Behind a value that is not needed: a number, a plain text, true, false or null. -1: something else. */
function skipPlain(source: Buffer, from: number, end: number): number {
  const first = source[from] as number;
  if (first === quote) {
    let at = from + 1;
    for (; at < end && source[at] !== quote; at++) {
      const byte = source[at] as number;
      if (byte === backslash || byte < 0x20 || byte >= 0x7f) return -1;
    }
    return at < end ? at + 1 : -1;
  }
  if (first === 0x74 || first === 0x66 || first === 0x6e) {
    const word = words.find(
      (candidate) => source.compare(candidate, 0, candidate.length, from, from + candidate.length) === 0,
    );
    return word === undefined ? -1 : from + word.length;
  }
  numberAt(source, from);
  return numberEnd[0] as number;
}
