import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.ts';

function filled(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe('Histogram', () => {
  it.each([0.0005, 0.01, 0.0317, 0.5, 1, 7.77, 123.4, 5_000, 120_000])('keeps %d ms to 1.6 %%', (ms) => {
    const found = filled([ms, ms, ms]).quantileMs(0.5);
    expect(Math.abs(found - ms)).toBeLessThanOrEqual(Math.max(0.016 * ms, 0.000_26));
  });

  it('gives the quantiles of many values', () => {
    const histogram = filled(Array.from({ length: 10_000 }, (_, index) => (index + 1) / 100));
    expect(histogram.quantileMs(0.5)).toBeCloseTo(50, -0.3);
    expect(histogram.quantileMs(0.99) / 99).toBeCloseTo(1, 1);
    expect(histogram.quantileMs(1)).toBeLessThanOrEqual(100);
    expect(histogram.maxMs).toBe(100);
  });

  it('takes a value beyond its range as the largest, and one below zero as zero', () => {
    const histogram = filled([10 ** 9, -1]);
    expect(histogram.total).toBe(2);
    expect(histogram.quantileMs(0.5)).toBe(0);
  });

  it('has no quantile when it is empty', () => {
    expect(new Histogram().quantileMs(0.5)).toBeNaN();
  });

  it('is the same after it went through JSON to another process', () => {
    const one = filled([1, 2, 3]);
    const other = filled([4, 5]);
    other.merge(JSON.parse(JSON.stringify(one)) as [number, number][], one.maxMs);
    expect(other.toJSON()).toEqual(filled([1, 2, 3, 4, 5]).toJSON());
    expect(other.maxMs).toBe(5);
  });
});
