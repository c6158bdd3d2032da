import { describe, expect, it } from 'vitest';
import { comesFirst, noTurn, turnLengthMs, type Turn } from './turn.ts';

const nowMs = 100_000;
const order = (turns: Readonly<Record<string, Partial<Turn>>>): string[] =>
  Object.entries(turns)
    .toSorted(([, a], [, b]) => comesFirst({ ...noTurn, ...a }, { ...noTurn, ...b }, nowMs))
    .map(([name]) => name);

describe('turns of jobs', () => {
  it('come to whoever has waited longest, those first that never had one', () => {
    expect(order({ a: { endedMs: 99_000 }, b: { endedMs: 50_000 }, c: {} })).toEqual(['c', 'b', 'a']);
  });

  it('are kept until they are over, and lost to those that wait afterwards', () => {
    const own = { processes: 1, lengthMs: 5_000 };
    expect(order({ a: {}, b: { ...own, sinceMs: 96_000 }, c: { ...own, sinceMs: 94_000 } })).toEqual(['b', 'a', 'c']);
  });

  it('do not end before the processes have loaded, however long that takes', () => {
    expect(order({ a: {}, b: { processes: 1, loading: 1, sinceMs: 0 } })).toEqual(['b', 'a']);
  });

  it('are long where loading is', () => {
    expect([0, 1_000, 20_000].map(turnLengthMs)).toEqual([5_000, 5_000, 80_000]);
  });
});
