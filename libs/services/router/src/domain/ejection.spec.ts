import { expect, it } from 'vitest';
import { healthy, isEjected, noteFailure, noteSuccess } from './ejection.ts';

const rule = { afterFailures: 3, baseMs: 100, maxMs: 350 };

it('needs failures in a row', () => {
  const health = healthy();
  for (let i = 0; i < 10; i += 1) {
    expect(noteFailure(health, rule, i, 1)).toBe(false);
    expect(noteFailure(health, rule, i, 1)).toBe(false);
    noteSuccess(health);
  }
});

it('ejects for twice as long each time up to the maximum, and forgets after a quiet time', () => {
  const health = healthy();
  const ejectAt = (nowMs: number): number => {
    for (let i = 0; i < 3; i += 1) noteFailure(health, rule, nowMs, 1);
    return health.ejectedUntilMs - nowMs;
  };
  expect([ejectAt(1_000), ejectAt(1_200), ejectAt(1_500), ejectAt(1_900)]).toEqual([100, 200, 350, 350]);
  expect(ejectAt(10_000)).toBe(100);
});

it('never ejects the last instance in rotation', () => {
  const health = healthy();
  for (let i = 0; i < 20; i += 1) expect(noteFailure(health, rule, i, 0)).toBe(false);
  expect(isEjected(health, 20)).toBe(false);
});
