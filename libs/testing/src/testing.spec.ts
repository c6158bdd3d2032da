import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventually, fixture, seeded, seededBelow, tempDir } from './index.ts';

describe('eventually', () => {
  it('waits until the check passes and gives what it returned', async () => {
    let calls = 0;
    const value = await eventually(() => {
      calls += 1;
      if (calls < 3) throw new Error('not yet');
      return calls;
    });
    expect(value).toBe(3);
  });

  it('counts false as not yet, and fails with the last error', async () => {
    await expect(eventually(() => false, { timeoutMs: 30 })).rejects.toThrow('the condition stayed false');
    const failing = eventually(() => Promise.reject(new Error('port closed')), { timeoutMs: 30 });
    await expect(failing).rejects.toThrow('not within 30 ms: port closed');
  });

  it('does not wait for ever for a check that hangs', async () => {
    await expect(eventually(() => new Promise(() => {}), { timeoutMs: 30 })).rejects.toThrow('did not end');
  });
});

describe('tempDir', () => {
  it('makes a folder of its own and removes it', () => {
    const [one, two] = [tempDir(), tempDir()];
    expect(one.path).not.toBe(two.path);
    one.remove();
    one.remove();
    expect(existsSync(one.path)).toBe(false);
    two.remove();
  });
});

describe('fixture', () => {
  it('names a fixture that is missing', () => {
    expect(() => fixture('no/such/file')).toThrow("there is no fixture 'no/such/file'");
  });
});

describe('seeded', () => {
  it('gives the same numbers for the same seed, in their range', () => {
    const [one, two, other] = [seeded(7), seeded(7), seeded(8)].map((random) => Array.from({ length: 1_000 }, random));
    expect(two).toEqual(one);
    expect(other).not.toEqual(one);
    expect(one?.every((value) => value >= 0 && value < 1)).toBe(true);
    const dice = seededBelow(7);
    expect(new Set(Array.from({ length: 1_000 }, () => dice(6)))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
  });
});
