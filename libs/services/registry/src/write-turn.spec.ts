import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createWriteTurn } from './write-turn.ts';

const open = { signal: new AbortController().signal, deadline: Infinity };

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
    const second = turn({ ...open, signal: gone.signal }, async () => void (written = true));
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

  it('refuses at once who would not be answered in time, also of those that wait already', async () => {
    const turn = createWriteTurn();
    const writeMs = 100;
    const told: string[] = [];
    const write = (name: string) => async () => {
      await setTimeout(writeMs);
      told.push(name);
    };
    const soon = { ...open, deadline: Date.now() + 6 * writeMs };
    const startedAt = performance.now();
    const burst = Array.from({ length: 50 }, (_, index) => turn(soon, write(String(index))));
    const settled = Promise.allSettled(burst);
    const late = await burst[49]?.catch((error: unknown) => error);
    expect(late).toMatchObject({ code: 'resource_exhausted', reason: 'REGISTRY_BUSY' });
    expect(performance.now() - startedAt).toBeLessThan(3 * writeMs);
    await expect(turn({ ...open, deadline: Date.now() + writeMs }, write('x'))).rejects.toMatchObject({
      reason: 'REGISTRY_BUSY',
    });
    const outcomes = await settled;
    expect(told).toHaveLength(outcomes.filter(({ status }) => status === 'fulfilled').length);
    expect(told.length).toBeGreaterThan(0);
  });

  it('lets in who comes alone, however long the last write took', async () => {
    const turn = createWriteTurn();
    await turn(open, () => setTimeout(200));
    await expect(turn({ ...open, deadline: Date.now() + 50 }, async () => 'made')).resolves.toBe('made');
  });
});
