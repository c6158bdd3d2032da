import { newElements, type DataType, type Elements, type FixedDataType } from './datatype.ts';
import { RoundedInteger } from './json-text.ts';
import { notForRows, NumberRows } from './json/number-rows.ts';
import { tensorFromRows } from './json/rows-tensor.ts';
import { elementCount, formatShape, rankMax } from './shape.ts';
import type { Tensor } from './tensor.ts';
import { tensorError } from './tensor-error.ts';

/**
 * A tensor of JSON data, flat or nested. Floating point values are numbers or the texts "NaN", "Infinity" and
 * "-Infinity"; 64-bit integers are numbers or decimal texts; BYTES are texts. Call it inside decodeJson, so that
 * integers beyond 2^53 stay exact.
 */
export function tensorFromJson(name: string, datatype: DataType, shape: readonly number[], data: unknown): Tensor {
  if (data instanceof NumberRows) return tensorFromRows(name, datatype, shape, data);
  const count = elementCount(shape, name);
  const found = countLeaves(data, name);
  if (found !== count) {
    throw tensorError(
      'TENSOR_SHAPE_MISMATCH',
      name,
      `data has ${found} elements`,
      `${count} for shape ${formatShape(shape)}`,
    );
  }
  if (datatype === 'BYTES') {
    const texts: string[] = [];
    eachLeaf(data, (value) => texts.push(readText(value, texts.length, name)));
    return { name, datatype, shape, elements: texts };
  }
  const elements = newElements(datatype, count);
  const write = writerOf(datatype, elements, name);
  let index = 0;
  eachLeaf(data, (value) => write(value, index++));
  return { name, datatype, shape, elements };
}

/** The shape that nested arrays have. Throws TENSOR_SHAPE_MISMATCH when rows differ in length or depth. */
export function shapeOfNested(data: unknown, name: string): number[] {
  if (data instanceof NumberRows) {
    if (data.shape === undefined) throw notForRows;
    return [...data.shape];
  }
  const shape: number[] = [];
  for (let level = data; Array.isArray(level); level = level[0] as unknown) {
    if (shape.length === rankMax) throw nestedTooDeeply(name);
    shape.push(level.length);
    if (level.length === 0) break;
  }
  checkRegular(data, shape, 0, name);
  return shape;
}

function checkRegular(data: unknown, shape: readonly number[], depth: number, name: string): void {
  const length = shape[depth];
  if (length === undefined || !Array.isArray(data) || data.length !== length) {
    if (length === undefined && !Array.isArray(data)) return;
    throw tensorError(
      'TENSOR_SHAPE_MISMATCH',
      name,
      'its rows differ in length or depth',
      `every row as the first: ${formatShape(shape)}`,
    );
  }
  // The innermost row is the bulk of the data: no call for each number in it.
  if (depth === shape.length - 1) {
    if (data.some(Array.isArray)) {
      throw tensorError('TENSOR_SHAPE_MISMATCH', name, 'numbers and arrays are mixed in one row', formatShape(shape));
    }
    return;
  }
  for (const row of data) checkRegular(row, shape, depth + 1, name);
}

function countLeaves(data: unknown, name: string, depth = 0): number {
  if (!Array.isArray(data)) return 1;
  if (depth > rankMax) throw nestedTooDeeply(name);
  let count = 0;
  for (const entry of data) count += Array.isArray(entry) ? countLeaves(entry, name, depth + 1) : 1;
  return count;
}

function eachLeaf(data: unknown, visit: (value: unknown) => void): void {
  if (!Array.isArray(data)) return visit(data);
  for (const entry of data) {
    if (Array.isArray(entry)) eachLeaf(entry, visit);
    else visit(entry);
  }
}

function nestedTooDeeply(name: string): Error {
  return tensorError('TENSOR_SHAPE_INVALID', name, 'data is nested too deeply', `at most ${rankMax} levels`);
}

type Write = (value: unknown, index: number) => void;

function writerOf(datatype: FixedDataType, elements: Elements, name: string): Write {
  switch (datatype) {
    case 'BOOL':
      return (value, index) => {
        if (typeof value !== 'boolean' && value !== 0 && value !== 1)
          throw invalid(value, index, name, 'true or false');
        elements[index] = value ? 1 : 0;
      };
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return (value, index) =>
        writeFloat(elements as Float64Array, readFloat(value, index, name), index, name, datatype);
    case 'INT64':
    case 'UINT64':
      return (value, index) => writeBig(elements as BigInt64Array, readBig(value, index, name), index, name, datatype);
    case 'BF16':
      throw tensorError(
        'TENSOR_DATATYPE_NOT_IN_JSON',
        name,
        'BF16 has no JSON form',
        'binary data (binary_data_size, or raw_input_contents)',
      );
    default:
      return (value, index) => {
        if (typeof value !== 'number' || !Number.isInteger(value))
          throw invalid(value, index, name, `a whole number (${datatype})`);
        elements[index] = value;
        if (elements[index] !== value) throw outOfRange(value, index, name, datatype);
      };
  }
}

function writeFloat(elements: Float64Array, value: number, index: number, name: string, datatype: DataType): void {
  elements[index] = value;
  if (!Number.isFinite(elements[index]) && Number.isFinite(value)) throw outOfRange(value, index, name, datatype);
}

function writeBig(elements: BigInt64Array, value: bigint, index: number, name: string, datatype: DataType): void {
  elements[index] = value;
  if (elements[index] !== value) throw outOfRange(value, index, name, datatype);
}

const nonFinite: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

function readFloat(value: unknown, index: number, name: string): number {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    // What JSON.parse makes of 1e999.
    throw outOfRange(value, index, name, 'FP64');
  }
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'string' && Object.hasOwn(nonFinite, value)) return nonFinite[value] as number;
  throw invalid(value, index, name, 'a number, or one of the texts "NaN", "Infinity", "-Infinity"');
}

const decimalText = /^-?\d{1,20}$/;

function readBig(value: unknown, index: number, name: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'string' && decimalText.test(value)) return BigInt(value);
  if (typeof value !== 'number' || !Number.isInteger(value)) throw invalid(value, index, name, 'a whole number');
  if (Number.isSafeInteger(value)) return BigInt(value);
  // Beyond what 64 bits hold, exact digits would not help: 1e30 stays a number in the exact parse.
  if (Math.abs(value) >= 2 ** 65) throw outOfRange(value, index, name, 'INT64');
  throw new RoundedInteger(name, index);
}

function readText(value: unknown, index: number, name: string): string {
  if (typeof value === 'string') return value;
  throw invalid(value, index, name, 'a text (BYTES)');
}

function invalid(value: unknown, index: number, name: string, expected: string): Error {
  const kind = value === null ? 'null' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
  return tensorError('TENSOR_VALUE_INVALID', name, `element ${index} is ${kind}`, expected);
}

function outOfRange(value: unknown, index: number, name: string, datatype: DataType): Error {
  return tensorError('TENSOR_VALUE_OUT_OF_RANGE', name, `element ${index} (${String(value)}) does not fit ${datatype}`);
}
