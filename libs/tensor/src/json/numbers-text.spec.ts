import { describe, expect, it } from 'vitest';
import { seeded } from '@mooring/testing';
import { newElements, type FixedDataType } from '../datatype.ts';
import { floatsText, wholesText } from './numbers-text.ts';

const random = seeded(3);
const bits = new Uint32Array(2);
const double = new Float64Array(bits.buffer);

/** Doubles of every kind that answers are made of, and of every bit pattern. */
const kinds: Readonly<Record<string, () => number>> = {
  'between 0 and 1': random,
  'of a float32': () => Math.fround(random()),
  'of all sizes': () => (random() - 0.5) * 10 ** Math.floor(random() * 30 - 10),
  'of a float32 of all sizes': () => Math.fround((random() - 0.5) * 10 ** Math.floor(random() * 20 - 6)),
  'with few digits': () => Math.round(random() * 1e6) / 10 ** Math.floor(random() * 8),
  'with fifteen digits': () => Number((random() * 10 ** Math.floor(random() * 10)).toPrecision(15)),
  'with sixteen digits': () => Number((random() * 10 ** Math.floor(random() * 10)).toPrecision(16)),
  whole: () => Math.floor(random() * 2 ** Math.floor(random() * 60)),
  'powers of two': () => 2 ** Math.floor(random() * 200 - 100),
  'halves, quarters and so on': () => Math.floor(random() * 4096) / 1024,
  'of any bits': () => {
    bits[0] = random() * 2 ** 32;
    bits[1] = random() * 2 ** 32;
    return Number.isFinite(double[0]) ? (double[0] as number) : 1;
  },
};

describe('the text of numbers', () => {
  it.each(Object.keys(kinds))('%s is that of String', (kind) => {
    const values = Float64Array.from({ length: 20_000 }, kinds[kind] as () => number);
    const texts = floatsText(values, 0, values.length).split(',');
    const wrong = texts.findIndex((text, index) => text !== String(values[index]));
    expect(wrong < 0 ? undefined : [texts[wrong], values[wrong]]).toBeUndefined();
    expect(texts).toHaveLength(values.length);
  });

  it('at the edges is that of String', () => {
    const edges = [
      0,
      -0,
      1,
      -1,
      0.1,
      1e-6,
      1e-7,
      123456789012345680000,
      1e21,
      5e-324,
      1.7976931348623157e308,
      0.3,
      2 / 3,
    ];
    const near = edges.flatMap((value) => [value, value * (1 + 2 ** -52), value * (1 - 2 ** -53), 10 ** 16 - value]);
    const values = Float64Array.from(near.filter(Number.isFinite));
    expect(floatsText(values, 0, values.length)).toBe([...values].join(','));
    expect(floatsText(Float64Array.of(1, Number.NaN, -Infinity, 2), 1, 3)).toBe('"NaN","-Infinity"');
  });

  it.each(['INT8', 'UINT8', 'INT16', 'UINT16', 'INT32', 'UINT32', 'INT64', 'UINT64'] as FixedDataType[])(
    'of %s is that of join, in any part of a larger memory',
    (datatype) => {
      const elements = newElements(datatype, 3_000);
      const bytes = new Uint8Array(elements.buffer);
      for (let index = 0; index < bytes.length; index++) bytes[index] = random() < 0.3 ? 0 : random() * 256;
      const part = elements.subarray(8, 2_900);
      for (let index = 0; index < 200; index++)
        part.fill((datatype.endsWith('64') ? BigInt(index) : index) as never, index, index + 1);
      expect(wholesText(part, 0, part.length)).toBe(part.join(','));
      expect(wholesText(part, 100, 150)).toBe(part.subarray(100, 150).join(','));
      expect(wholesText(part, 5, 5)).toBe('');
    },
  );
});
