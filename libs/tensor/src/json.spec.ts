import { describe, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import {
  decodeJson,
  JsonPieces,
  shapeOfNested,
  tensorFromJson,
  writeFlat,
  writeNested,
  type DataType,
  type Tensor,
} from './index.ts';

const read = (datatype: DataType, shape: number[], json: string): Tensor =>
  decodeJson(Buffer.from(json), 'the body', (value) => tensorFromJson('x', datatype, shape, value));

function text(tensor: Tensor, write: typeof writeFlat, limit = 10_000): string {
  const pieces = new JsonPieces(limit, () => {
    throw new RangeError('too long');
  });
  write(tensor, pieces);
  return pieces.bytes().toString();
}

function errorOf(act: () => unknown): PlatformError {
  try {
    act();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(PlatformError);
    return thrown as PlatformError;
  }
  throw new Error('nothing was thrown');
}

describe('integers in JSON', () => {
  it.each([
    ['INT64', '[9007199254740993,-9223372036854775808,9223372036854775807,0,-1]'],
    ['UINT64', '[18446744073709551615,9007199254740993,9223372036854775808,0,1]'],
  ] as const)('keep every bit of %s through reading and writing', (datatype, json) => {
    expect(text(read(datatype, [5], json), writeFlat)).toBe(json);
  });

  it('may be decimal texts', () => {
    expect(text(read('INT64', [2], '["9007199254740993", "-5"]'), writeFlat)).toBe('[9007199254740993,-5]');
  });

  it.each([
    ['INT64', '9223372036854775808'],
    ['INT64', '99999999999999999999999999'],
    ['INT64', '1e400'],
    ['UINT64', '-1'],
    ['UINT64', '18446744073709551616'],
    ['INT8', '128'],
    ['UINT8', '-1'],
    ['UINT16', '65536'],
    ['INT32', '2147483648'],
    ['UINT32', '4294967296'],
    ['FP16', '70000'],
    ['FP32', '1e39'],
    ['FP64', '1e999'],
  ] as const)('of type %s refuse %s, which does not fit', (datatype, json) => {
    const error = errorOf(() => read(datatype, [1], `[${json}]`));
    expect(error.code).toBe('invalid_argument');
    expect(['TENSOR_VALUE_OUT_OF_RANGE', 'TENSOR_VALUE_INVALID']).toContain(error.reason);
    expect(error.message).toContain("'x'");
  });

  it('says how to write a large integer that came as 1e18', () => {
    expect(errorOf(() => read('INT64', [1], '[1e18]')).message).toContain('plain digits');
  });

  it('leave large numbers of a floating point tensor alone', () => {
    expect(text(read('FP64', [2], '[9007199254740993,1e300]'), writeFlat)).toBe('[9007199254740992,1e+300]');
  });
});

describe('values in JSON', () => {
  it('write NaN and infinities as texts and take them back', () => {
    const json = '["NaN","Infinity","-Infinity",1.5]';
    for (const datatype of ['FP16', 'FP32', 'FP64'] as const)
      expect(text(read(datatype, [4], json), writeFlat)).toBe(json);
  });

  it.each([
    ['FP32', '["nan"]'],
    ['FP32', '[null]'],
    ['FP32', '[true]'],
    ['FP32', '[{}]'],
    ['INT32', '[1.5]'],
    ['INT32', '["1"]'],
    ['INT64', '["1.0"]'],
    ['INT64', '[""]'],
    ['BOOL', '[2]'],
    ['BOOL', '["true"]'],
    ['BYTES', '[1]'],
    ['BYTES', '[["a"],null]'],
    ['BF16', '[1]'],
  ] as const)('of type %s refuse %s', (datatype, json) => {
    expect(errorOf(() => read(datatype, [JSON.parse(json).length as number], json)).code).toBe('invalid_argument');
  });

  it('write booleans, halves and texts as JSON does', () => {
    expect(text(read('BOOL', [2], '[true,0]'), writeFlat)).toBe('[true,false]');
    expect(text(read('FP16', [2], '[1.5,0.1]'), writeFlat)).toBe('[1.5,0.0999755859375]');
    expect(text(read('BYTES', [2], '["a\\"\\n","雪"]'), writeFlat)).toBe('["a\\"\\n","雪"]');
  });
});

describe('shape of JSON data', () => {
  it.each([
    ['[[1,2,3],[4,5,6]]', [2, 3]],
    ['[]', [0]],
    ['[[],[]]', [2, 0]],
    ['5', []],
    ['[[[1]],[[2]]]', [2, 1, 1]],
  ])('of %s is read from its nesting', (json, shape) => {
    expect(shapeOfNested(JSON.parse(json), 'x')).toEqual(shape);
    expect(text(tensorFromJson('x', 'FP32', shape, JSON.parse(json)), writeNested)).toBe(json);
  });

  it.each(['[[1,2],[3]]', '[[1],2]', '[1,[2]]', '[[[1]],[2]]', '[[],[1]]'])('refuses ragged %s', (json) => {
    expect(errorOf(() => shapeOfNested(JSON.parse(json), 'x')).reason).toBe('TENSOR_SHAPE_MISMATCH');
  });

  it('may be flat, nested or nested in another way, if the count is right', () => {
    for (const json of ['[1,2,3,4]', '[[1,2],[3,4]]', '[[1,2,3,4]]']) {
      expect(text(read('INT32', [2, 2], json), writeNested)).toBe('[[1,2],[3,4]]');
    }
    const error = errorOf(() => read('INT32', [2, 2], '[1,2,3]'));
    expect(error.reason).toBe('TENSOR_SHAPE_MISMATCH');
    expect(error.message).toContain('expected 4 for shape [2,2]');
  });

  it('refuses nesting that is thousands deep without overflowing the stack', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(errorOf(() => read('FP32', [1], deep)).code).toBe('invalid_argument');
    expect(errorOf(() => shapeOfNested(JSON.parse(deep), 'x')).code).toBe('invalid_argument');
    const deepAndBig = '[9007199254740993,' + '['.repeat(20_000) + ']'.repeat(20_000) + ']';
    expect(errorOf(() => read('INT64', [2], deepAndBig)).code).toBe('invalid_argument');
  });

  it('writes across chunks and stops soon after the limit', () => {
    const data = Array.from({ length: 40_000 }, (_, index) => index % 7);
    const tensor = tensorFromJson('x', 'UINT8', [40_000], data);
    expect(JSON.parse(text(tensor, writeFlat, 100_000))).toEqual(data);
    expect(() => text(tensor, writeFlat, 1_000)).toThrow('too long');
  });
});

describe('decodeJson', () => {
  it.each([['{nope'], [''], ['[1,'], ['\u0000']])('refuses %j as JSON', (body) => {
    expect(errorOf(() => decodeJson(Buffer.from(body), 'the body', String)).reason).toBe('JSON_INVALID');
  });
  it('refuses bytes that are not UTF-8', () => {
    expect(errorOf(() => decodeJson(Buffer.from([0x22, 0xff, 0x22]), 'the body', String)).reason).toBe('BODY_NOT_UTF8');
  });
});
