import { describe, expect, it } from 'vitest';
import { createWriteTurn } from './write-turn.ts';

const open = new AbortController().signal;

describe('a write turn', () => {
  it('lets one write at a time work, in the order they came, whether or not one fails', async () => {
    const turn = createWriteTurn();
    const told: string[] = [];
    const write = (name: string) => async () => {
      told.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      told.push(`${name} ends`);
      if (name === 'b') throw new Error('b failed');
      return name;
    };
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((name) => turn(open, write(name))));
    expect(told).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('leaves out the write of a caller who went away while waiting', async () => {
    const turn = createWriteTurn();
    const gone = new AbortController();
    const free = Promise.withResolvers<void>();
    const first = turn(open, () => free.promise);
    let written = false;
    const second = turn(gone.signal, async () => void (written = true));
    gone.abort(new Error('gone'));
    free.resolve();
    await first;
    await expect(second).rejects.toThrow('gone');
    expect(written).toBe(false);
  });

  it('refuses to let more wait than it can bear, and takes more once they are through', async () => {
    const turn = createWriteTurn();
    const free = Promise.withResolvers<void>();
    const writes = Array.from({ length: 256 }, () => turn(open, () => free.promise));
    await expect(turn(open, async () => {})).rejects.toMatchObject({
      code: 'resource_exhausted',
      reason: 'REGISTRY_BUSY',
    });
    free.resolve();
    await Promise.all(writes);
    await expect(turn(open, async () => 'again')).resolves.toBe('again');
  });
});
