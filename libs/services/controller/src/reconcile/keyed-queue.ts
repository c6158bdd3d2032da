import type { Logger } from 'pino';

export interface KeyedQueueOptions {
  /** Keys worked on at the same time. */
  concurrency: number;
  /** Looks at one key; resolves with when to look again (ms), or undefined. Never runs twice at once for one key. */
  work: (key: string) => Promise<number | undefined>;
  log: Logger;
}

const firstRetryMs = 200;
/** Short, because it decides how soon work goes on once a service that was away is back. */
const longestRetryMs = 5_000;

/**
 * Work by key: asking many times for one key is one piece of work, asking while it is worked on is one more afterwards.
 * Work that throws is tried again, later each time.
 */
export class KeyedQueue {
  private readonly options: KeyedQueueOptions;
  private readonly waiting = new Set<string>();
  private readonly running = new Map<string, Promise<void>>();
  private readonly timers = new Map<string, { timer: NodeJS.Timeout; atMs: number }>();
  private readonly failures = new Map<string, number>();
  private stopped = false;

  constructor(options: KeyedQueueOptions) {
    this.options = options;
  }

  /** Looks at `key` as soon as there is room. */
  add(key: string): void {
    if (this.stopped) return;
    this.clearTimer(key);
    this.waiting.add(key);
    this.startNext();
  }

  /** Looks at `key` after `afterMs` at the latest. */
  addAfter(key: string, afterMs: number): void {
    const atMs = Date.now() + Math.max(0, afterMs);
    const earlier = this.timers.get(key);
    if (this.stopped || (earlier !== undefined && earlier.atMs <= atMs)) return;
    this.clearTimer(key);
    this.timers.set(key, { timer: setTimeout(() => this.add(key), afterMs), atMs });
  }

  /** Starts nothing more; resolves when what runs is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.waiting.clear();
    for (const key of this.timers.keys()) this.clearTimer(key);
    await Promise.all(this.running.values());
  }

  private clearTimer(key: string): void {
    clearTimeout(this.timers.get(key)?.timer);
    this.timers.delete(key);
  }

  private startNext(): void {
    for (const key of this.waiting) {
      if (this.running.size >= this.options.concurrency) return;
      if (this.running.has(key)) continue;
      this.waiting.delete(key);
      this.running.set(key, this.run(key));
    }
  }

  private async run(key: string): Promise<void> {
    try {
      // Not in the caller's stack: `add` is called from within work and from event handlers.
      await Promise.resolve();
      const againAfterMs = await this.options.work(key);
      this.failures.delete(key);
      if (againAfterMs !== undefined) this.addAfter(key, againAfterMs);
    } catch (error) {
      const failures = (this.failures.get(key) ?? 0) + 1;
      this.failures.set(key, failures);
      const retryMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (failures - 1));
      this.options.log.warn({ err: error, key, retryMs }, 'could not be made so; trying again');
      this.addAfter(key, retryMs);
    } finally {
      this.running.delete(key);
      this.startNext();
    }
  }
}
