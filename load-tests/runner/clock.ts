import { setImmediate } from 'node:timers/promises';

/** Time as the executors see it; specs bring one that they move by hand. */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** Lets input and output have their turn. */
  turn(): Promise<void>;
}

export const realClock: Clock = {
  now: () => performance.now(),
  wait(ms, signal) {
    if (signal?.aborted === true || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    });
  },
  turn: () => setImmediate(),
};
