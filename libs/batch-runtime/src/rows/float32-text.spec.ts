import { describe, expect, it } from 'vitest';
import { float32BytesMax, writeFloat32 } from './float32-text.ts';

const to = Buffer.alloc(64);
const textOf = (value: number): string => to.toString('latin1', 3, writeFloat32(to, 3, value));

/** The first of one to nine digits that is that float32 again. */
function shortest(value: number): string {
  for (let digits = 1; ; digits++) {
    const number = Number(value.toPrecision(digits));
    if (Math.fround(number) === value) return String(number);
  }
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);
function ofBits(bits: number): number {
  word[0] = bits;
  return float[0] as number;
}

describe('the text of a float32', () => {
  it.each([
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [-0.5, '-0.5'],
    [Math.fround(0.1), '0.1'],
    [Math.fround(0.005496), '0.005496'],
    [Math.fround(2.797446248172658e-13), '2.7974462e-13'],
    [16_777_216, '16777216'],
    [Math.fround(1e20), '100000000000000000000'],
    [Math.fround(1e21), '1e+21'],
    [Math.fround(1e-6), '0.000001'],
    [Math.fround(1e-7), '1e-7'],
    [Math.fround(3.4028234663852886e38), '3.4028235e+38'],
    [2 ** -149, '1e-45'],
    [2 ** -126, '1.1754944e-38'],
    [Math.fround(999_999_999), '1000000000'],
  ])('of %d is %s', (value, text) => {
    expect(textOf(value)).toBe(text);
  });

  it('is that float32 again, and no longer than it has to be', () => {
    let longer = 0;
    for (let step = 1; step <= 200_000; step++) {
      const value = ofBits(Math.imul(step, 0x9e3779b1) >>> 0);
      if (!Number.isFinite(value)) continue;
      const text = textOf(value);
      if (!Object.is(Math.fround(Number(text)), value) || text.length > float32BytesMax)
        expect(text).toBe(String(value));
      if (text.length > shortest(value).length) longer += 1;
    }
    // At powers of two, where the wider side is not used.
    expect(longer).toBeLessThan(3);
  });

  it('is that float32 again at and beside each power of two', () => {
    for (let bits = 0; bits < 0x7f800000; bits += 0x800000) {
      for (const beside of [-1, 0, 1]) {
        const value = ofBits(Math.max(1, bits + beside));
        if (Number.isFinite(value)) expect(Math.fround(Number(textOf(value)))).toBe(value);
      }
    }
  });
});
