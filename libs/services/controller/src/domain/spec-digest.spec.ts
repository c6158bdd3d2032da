import { describe, expect, it } from 'vitest';
import { canonicalJson, digestOf } from './spec-digest.ts';

describe('a digest', () => {
  it('does not depend on the order of keys, nor on absent values', () => {
    expect(digestOf({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(digestOf({ b: { c: [1, 2] }, a: 1 }));
  });

  it('depends on every value and on the order of lists', () => {
    expect(digestOf({ a: [1, 2] })).not.toBe(digestOf({ a: [2, 1] }));
    expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: '1' }));
  });

  it('is made from plain JSON', () => expect(canonicalJson({ b: 1, a: null })).toBe('{"a":null,"b":1}'));
});
