import { expect, it } from 'vitest';
import { quantile, slopeOf } from './slope.ts';

const line = (perHour: number, noise: (n: number) => number = () => 0) =>
  Array.from({ length: 200 }, (_unused, n) => ({ at: n * 1_000, value: 50 + (perHour * n) / 3_600 + noise(n) }));

it('finds the slope of a line, without noise', () => {
  const { perHour, noise } = slopeOf(line(36));
  expect(perHour).toBeCloseTo(36, 6);
  expect(noise).toBeCloseTo(0, 6);
});

it('says how far the slope may be from the truth', () => {
  const { perHour, noise } = slopeOf(line(36, (n) => (n % 2 === 0 ? 1 : -1)));
  expect(noise).toBeGreaterThan(1);
  expect(Math.abs(perHour - 36)).toBeLessThan(2 * noise);
  expect(slopeOf([]).perHour).toBeNaN();
});

it('takes quantiles of what it is given', () => {
  expect([quantile([3, 1, 2], 0.5), quantile([1, 2], 0.99), quantile([], 0.5)]).toEqual([2, 1, Number.NaN]);
});
