import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyedQueue } from './keyed-queue.ts';

const log = pino({ enabled: false });
beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('KeyedQueue', () => {
  it('does one piece of work however often it is asked, and one more when asked meanwhile', async () => {
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const queue = new KeyedQueue({
      concurrency: 4,
      log,
      work: async (key) => {
        seen.push(key);
        await gate.promise;
        return undefined;
      },
    });
    queue.add('a');
    queue.add('a');
    await vi.advanceTimersByTimeAsync(1);
    queue.add('a');
    queue.add('a');
    expect(seen).toEqual(['a']);
    gate.resolve();
    await vi.advanceTimersByTimeAsync(1);
    expect(seen).toEqual(['a', 'a']);
  });

  it('works on different keys at once, within its bound', async () => {
    let open = 0;
    let most = 0;
    const queue = new KeyedQueue({
      concurrency: 2,
      log,
      work: async () => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, 10));
        open--;
        return undefined;
      },
    });
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    await vi.advanceTimersByTimeAsync(100);
    expect(most).toBe(2);
    expect(open).toBe(0);
  });

  it('tries again what failed, later each time', async () => {
    const at: number[] = [];
    const start = Date.now();
    const queue = new KeyedQueue({
      concurrency: 1,
      log,
      work: async () => {
        at.push(Date.now() - start);
        if (at.length < 4) throw new Error('not yet');
        return undefined;
      },
    });
    queue.add('a');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(at).toEqual([0, 200, 600, 1_400]);
  });

  it('looks again when the work asked for it, and earlier when somebody else does', async () => {
    let looks = 0;
    const queue = new KeyedQueue({ concurrency: 1, log, work: async () => (++looks === 1 ? 1_000 : undefined) });
    queue.add('a');
    await vi.advanceTimersByTimeAsync(500);
    queue.addAfter('a', 100);
    await vi.advanceTimersByTimeAsync(100);
    expect(looks).toBe(2);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(looks).toBe(2);
  });

  it('starts nothing after its stop', async () => {
    let looks = 0;
    const queue = new KeyedQueue({ concurrency: 1, log, work: async () => void looks++ });
    queue.addAfter('a', 10);
    await queue.stop();
    queue.add('b');
    await vi.advanceTimersByTimeAsync(100);
    expect(looks).toBe(0);
  });
});
