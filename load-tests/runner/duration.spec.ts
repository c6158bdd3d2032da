import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['1h2m3.5s', 3_723_500],
    ['0s', 0],
    ['250', 250],
    [250, 250],
  ])('reads %s as %d ms', (given, ms) => {
    expect(parseDuration(given)).toBe(ms);
  });

  it.each(['', 'ten', '10x', '-5s', '5s 5', Number.NaN, -1])('refuses %s and says what would be right', (given) => {
    expect(() => parseDuration(given)).toThrow(/write for example 500ms, 30s or 1m30s/);
  });

  it.each([
    [250, '250ms'],
    [1_500, '1.5s'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
