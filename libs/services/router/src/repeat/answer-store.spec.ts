import { expect, it } from 'vitest';
import { AnswerStore, ByteBudget } from './answer-store.ts';

function store(fields: Partial<{ entriesMax: number; bytesMax: number; ttlMs: number }> = {}, budget?: ByteBudget) {
  const clock = { ms: 0 };
  const limits = { entriesMax: 3, bytesMax: 100, ttlMs: 1_000, ...fields };
  return { clock, kept: new AnswerStore<string>(limits, () => clock.ms, budget) };
}

it('lets go of what was not asked for the longest, by count and by bytes', () => {
  const { kept } = store();
  for (const key of ['a', 'b', 'c']) kept.put(key, key, 10);
  expect(kept.get('a')).toBe('a');
  kept.put('d', 'd', 10);
  expect(['a', 'b', 'c', 'd'].map((key) => kept.get(key))).toEqual(['a', undefined, 'c', 'd']);
  kept.put('e', 'e', 90);
  expect([kept.get('a'), kept.get('c'), kept.get('d'), kept.get('e')]).toEqual([undefined, undefined, 'd', 'e']);
  expect(kept.bytes).toBe(100);
});

it('does not keep what is larger than itself, and keeps the rest then', () => {
  const { kept } = store();
  kept.put('a', 'a', 60);
  expect(kept.put('b', 'b', 101)).toBe(false);
  expect([kept.get('a'), kept.get('b'), kept.bytes]).toEqual(['a', undefined, 60]);
});

it('forgets after its time, of what came old the rest of it, and a sweep frees the bytes', () => {
  const { clock, kept } = store();
  kept.put('new', 'new', 10);
  kept.put('old', 'old', 10, 900);
  expect(kept.put('late', 'late', 10, 1_000)).toBe(false);
  clock.ms = 100;
  expect([kept.get('new'), kept.get('old')]).toEqual(['new', undefined]);
  clock.ms = 1_000;
  kept.sweep();
  expect([kept.size, kept.bytes]).toEqual([0, 0]);
});

it('shares bytes with others: the one that has the most gives way', () => {
  const budget = new ByteBudget(100);
  const large = store({ entriesMax: 10 }, budget).kept;
  const small = store({ entriesMax: 10 }, budget).kept;
  for (const key of ['a', 'b', 'c', 'd']) large.put(key, key, 24);
  expect(small.put('x', 'x', 20)).toBe(true);
  expect([large.size, small.size, budget.used]).toEqual([3, 1, 92]);
  large.close();
  expect(budget.used).toBe(20);
});

it('replaces a value without counting it twice, and stays within its limits over 10,000 keys', () => {
  const { kept } = store({ entriesMax: 50, bytesMax: 1_000 });
  for (let round = 0; round < 3; round += 1) kept.put('same', `v${round}`, 20);
  expect([kept.size, kept.bytes, kept.get('same')]).toEqual([1, 20, 'v2']);
  for (let n = 0; n < 10_000; n += 1) kept.put(`k${n}`, 'v', 25);
  expect([kept.size, kept.bytes]).toEqual([40, 1_000]);
});
