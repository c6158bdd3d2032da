import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchForOrphan } from './orphan-watch.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watching(attended: () => boolean = () => false): {
  ended: () => number;
  watch: ReturnType<typeof watchForOrphan>;
} {
  let ended = 0;
  const watch = watchForOrphan(8_000, attended, () => (ended += 1), Date.now);
  return { ended: () => ended, watch };
}

describe('the orphan watch', () => {
  it('ends a scorer that nobody looks after, once', () => {
    const { ended } = watching();
    vi.advanceTimersByTime(7_900);
    expect(ended()).toBe(0);
    vi.advanceTimersByTime(20_000);
    expect(ended()).toBe(1);
  });

  it('lets it live while it is probed or a stream is open', () => {
    let open = true;
    const { ended, watch } = watching(() => open);
    vi.advanceTimersByTime(60_000);
    open = false;
    for (let probe = 0; probe < 10; probe++) {
      vi.advanceTimersByTime(5_000);
      watch.seen();
    }
    expect(ended()).toBe(0);
    vi.advanceTimersByTime(9_000);
    expect(ended()).toBe(1);
  });

  it('does not take a held-up event loop for an orphan’s life', () => {
    const { ended } = watching();
    vi.advanceTimersByTime(6_000);
    // As after a long model run: the clock has gone on, timers have not.
    vi.setSystemTime(Date.now() + 60_000);
    vi.advanceTimersByTime(1_000);
    expect(ended()).toBe(0);
    vi.advanceTimersByTime(9_000);
    expect(ended()).toBe(1);
  });
});
