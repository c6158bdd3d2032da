import { describe, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import {
  decodeBytesElements,
  elementCount,
  encodeBytesElements,
  rawLengthOf,
  rawOf,
  readDataType,
  tensorFromRaw,
  textOf,
  viewElements,
  widthOf,
  dataTypes,
} from './index.ts';

function reasonOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(PlatformError);
    expect((thrown as PlatformError).code).toBe('invalid_argument');
    return (thrown as PlatformError).reason;
  }
  throw new Error('nothing was thrown');
}

describe('elementCount', () => {
  it.each([
    [[], 1],
    [[0], 0],
    [[2, 3, 4], 24],
    [[2, 0, 2_147_483_647], 0],
  ])('of %j is %i', (shape, count) => {
    expect(elementCount(shape, 'x')).toBe(count);
  });

  it.each([
    [[-1]],
    [[1.5]],
    [[Number.NaN]],
    [[2 ** 31]],
    [[65_536, 65_537]],
    [[2 ** 30, 2 ** 30, 2 ** 30, 2 ** 30]],
    [[0, 2 ** 30, 2 ** 30, 2 ** 30]],
    [Array.from({ length: 33 }, () => 1)],
  ])('refuses %j', (shape) => {
    expect(reasonOf(() => elementCount(shape, 'x'))).toBe('TENSOR_SHAPE_INVALID');
  });
});

describe('viewElements', () => {
  it('shares memory when aligned and copies when not', () => {
    const bytes = new Uint8Array(12);
    viewElements('FP32', bytes.subarray(4))[0] = 1;
    expect([...bytes.subarray(4, 8)]).toEqual([0, 0, 128, 63]);
    const odd = viewElements('FP32', bytes.subarray(3, 11));
    odd[0] = 5;
    expect([...bytes.subarray(4, 8)]).toEqual([0, 0, 128, 63]);
  });
  it('copies an odd Buffer view, too', () => {
    const buffer = Buffer.from([9, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(viewElements('INT64', buffer.subarray(1))[0]).toBe(1n);
  });
});

describe('raw tensors', () => {
  it.each(dataTypes.filter((datatype) => datatype !== 'BYTES'))('of %s come back as the same bytes', (datatype) => {
    const raw = Buffer.from(
      Array.from({ length: 6 * widthOf(datatype) }, (_, index) => (datatype === 'BOOL' ? index % 2 : index)),
    );
    const tensor = tensorFromRaw('x', datatype, [2, 3], raw);
    expect(rawOf(tensor)).toEqual(raw);
    expect(rawLengthOf(tensor)).toBe(raw.length);
  });

  it('need exactly shape x width bytes', () => {
    for (const length of [0, 23, 25, 48]) {
      expect(reasonOf(() => tensorFromRaw('x', 'FP32', [2, 3], Buffer.alloc(length)))).toBe('TENSOR_SHAPE_MISMATCH');
    }
  });

  it('of BYTES keep each element', () => {
    const raw = encodeBytesElements(['naïve ☃', '', new Uint8Array([0, 255])]);
    const tensor = tensorFromRaw('x', 'BYTES', [3], raw);
    expect(rawOf(tensor)).toEqual(raw);
    expect(rawLengthOf(tensor)).toBe(raw.length);
    const elements = decodeBytesElements(raw, 3, 'x');
    expect(textOf(elements[0] as Uint8Array, 0, 'x')).toBe('naïve ☃');
    expect(reasonOf(() => textOf(elements[2] as Uint8Array, 2, 'x'))).toBe('TENSOR_TEXT_NOT_UTF8');
  });

  it.each([
    ['a length beyond the end', Buffer.from([5, 0, 0, 0, 65]), 1],
    ['a length of 4 GiB', Buffer.from([255, 255, 255, 255, 65]), 1],
    ['a cut prefix', Buffer.from([1, 0, 0, 0, 65, 1, 0]), 2],
    ['more elements than the shape', encodeBytesElements(['a', 'b']), 1],
    ['fewer elements than the shape', encodeBytesElements(['a', 'b']), 3],
    ['a shape of millions', Buffer.alloc(8), 100_000_000],
    ['data for no element', Buffer.from([0, 0, 0, 0]), 0],
  ])('of BYTES refuse %s', (_what, raw, count) => {
    expect(reasonOf(() => tensorFromRaw('x', 'BYTES', [count], raw))).toBe('TENSOR_BYTES_MALFORMED');
  });

  it('need a known datatype', () => {
    expect(reasonOf(() => readDataType('FLOAT', 'x'))).toBe('TENSOR_DATATYPE_UNKNOWN');
    expect(reasonOf(() => readDataType(undefined, 'x'))).toBe('TENSOR_DATATYPE_UNKNOWN');
  });
});
