import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';

interface Waiter {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Time that moves only when a spec says so, from one waiter to the next. */
export class FakeClock implements Clock {
  private nowMs = 0;
  private readonly waiters = new Set<Waiter>();

  now(): number {
    return this.nowMs;
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.waiters.delete(waiter);
        resolve();
      };
      const waiter = { atMs: this.nowMs + ms, wake };
      this.waiters.add(waiter);
      signal?.addEventListener('abort', wake, { once: true });
    });
  }

  turn(): Promise<void> {
    return Promise.resolve();
  }

  /** The process was busy: time has gone by and nobody was woken. */
  stall(ms: number): void {
    this.nowMs += ms;
  }

  async advance(ms: number): Promise<void> {
    const until = this.nowMs + ms;
    await setImmediate();
    for (;;) {
      const next = [...this.waiters].toSorted((one, other) => one.atMs - other.atMs)[0];
      if (next === undefined || next.atMs > until) break;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.wake();
      // All that follows from this moment happens before the next one.
      await setImmediate();
    }
    this.nowMs = until;
  }
}
