import { describe, expect, it } from 'vitest';
import { sameJson } from './same-json.ts';

describe('sameJson', () => {
  it.each([
    [
      { a: 1, b: { c: [1, 'x'] } },
      { b: { c: [1, 'x'] }, a: 1 },
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
    [null, null],
    [[], []],
    [{}, {}],
  ])('%j says the same as %j', (a, b) => {
    expect(sameJson(a, b)).toBe(true);
    expect(sameJson(b, a)).toBe(true);
  });

  it.each([
    [{ a: 1 }, { a: '1' }],
    [{ a: 1 }, { a: 1, b: null }],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], { 0: 1 }],
    [null, {}],
    [{ a: { b: 1 } }, { a: { b: 2 } }],
    [{ a: 1 }, { b: 1 }],
  ])('%j says something else than %j', (a, b) => {
    expect(sameJson(a, b)).toBe(false);
    expect(sameJson(b, a)).toBe(false);
  });
});
