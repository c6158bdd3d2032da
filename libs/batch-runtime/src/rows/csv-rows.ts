import { BadRow, csvFields } from '../input/csv-fields.ts';
import type { ColumnsPlan } from './columns-plan.ts';
import * as numbers from './number-at.ts';
import type { RowBatch } from './row-batch.ts';
import type { RowInput } from './row-input.ts';
import { takeColumns } from './take-row.ts';

// In this module: what is imported is looked up each time.
const { numberAt, end: numberEnd } = numbers;
const quote = 0x22;
const comma = 0x2c;
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const whole = /^-?\d{1,20}$/;
const notFinite = /^([+-]?)(nan|inf|infinity)$/i;
const truths: Readonly<Record<string, boolean>> = { true: true, false: false, '1': true, '0': false };

/**
 * Reads rows of a CSV. Rows of plain numbers go straight from their bytes into the batch; the others are split into texts first,
 * which also words what is wrong.
 */
export class CsvRows {
  readonly plan: ColumnsPlan;
  readonly #inputs: readonly RowInput[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #fields: number;
  /** Which element of the only input each field is, -1: none. Absent where elements are not read straight from the bytes. */
  readonly #elements: Int32Array | undefined;

  constructor(inputs: readonly RowInput[], columns: readonly string[], plan: ColumnsPlan) {
    this.plan = plan;
    this.#inputs = inputs;
    this.#fields = columns.length;
    this.#places = new Map(columns.map((column, place) => [column, place]));
    const [input] = inputs;
    const isFloat = input?.datatype === 'FP32' || input?.datatype === 'FP64';
    const elements = new Map(plan.columns.map((column, element) => [column, element]));
    const quick = isFloat && plan.kind === 'elements' && plan.columns.length === input.width;
    if (quick && elements.size === plan.columns.length)
      this.#elements = Int32Array.from(columns, (column) => elements.get(column) ?? -1);
  }

  /** As that of JsonRows. */
  read(buffer: Buffer, start: number, end: number, batch: RowBatch): void {
    if (this.#elements !== undefined && this.#quick(this.#elements, buffer, start, end, batch)) return;
    const fields = csvFields(buffer.subarray(start, end));
    if (fields.length !== this.#fields)
      throw new BadRow(`the row has ${fields.length} fields, and the header ${this.#fields}`);
    const { plan } = this;
    const valueOf = (column: string): unknown => {
      const input = this.#inputs[plan.kind === 'elements' ? 0 : plan.columns.indexOf(column)] as RowInput;
      return valueOfText(fields[this.#places.get(column) as number] as string, input, plan.kind);
    };
    takeColumns(this.#inputs, plan, valueOf, batch);
  }

  #quick(elements: Int32Array, source: Buffer, start: number, end: number, batch: RowBatch): boolean {
    const memory = batch.memory(0) as Float32Array;
    const base = batch.rows * this.plan.columns.length;
    const last = elements.length - 1;
    const rowEnd = source[end - 1] === 0x0d ? end - 1 : end;
    let at = start;
    for (let field = 0; field <= last; field++) {
      at = skipBlanks(source, at, rowEnd);
      const element = elements[field] as number;
      if (element < 0) {
        if (source[at] === quote) return false;
        for (; at < rowEnd && source[at] !== comma; at++) if ((source[at] as number) >= 0x80) return false;
      } else {
        memory[base + element] = numberAt(source, at);
        at = numberEnd[0] as number;
        if (at < 0 || (memory[base + element] as number) - (memory[base + element] as number) !== 0) return false;
        at = skipBlanks(source, at, rowEnd);
      }
      if (field === last) return at === rowEnd;
      if (at >= rowEnd || source[at] !== comma) return false;
      at += 1;
    }
    return false;
  }
}

function skipBlanks(source: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && (source[at] === 0x20 || source[at] === 0x09)) at += 1;
  return at;
}

/** What a field says, as JSON would say it. Undefined where it says nothing. */
function valueOfText(text: string, { datatype, width }: RowInput, kind: ColumnsPlan['kind']): unknown {
  if (kind === 'values' && width !== 1 && text.startsWith('[')) return listOf(text);
  const value = scalarOf(text, datatype);
  return kind === 'values' && value !== undefined && width === undefined ? [value] : value;
}

function scalarOf(text: string, datatype: RowInput['datatype']): unknown {
  if (datatype === 'BYTES') return text;
  if (text === '') return undefined;
  if (datatype === 'BOOL') return truths[text.toLowerCase()] ?? text;
  if (whole.test(text) && datatype.endsWith('INT64')) return text;
  if (decimal.test(text)) return Number(text);
  const [, sign, word] = notFinite.exec(text) ?? [];
  if (word === undefined) return text;
  if (word.toLowerCase() === 'nan') return 'NaN';
  return sign === '-' ? '-Infinity' : 'Infinity';
}

function listOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRow('a field begins as a list, and is no JSON');
  }
}
