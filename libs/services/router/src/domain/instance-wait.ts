import type { InstanceSlot } from './deployment-pool.ts';

const lookEveryMs = 5;

/**
 * Calls that wait for an instance which is about to be ready: connecting, or started to replace one that is gone. Nothing
 * runs while nobody waits; all who wait share one timer.
 */
export class InstanceWait {
  private readonly waiting = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  /** Resolves with what `look` finds, or with undefined after `timeoutMs` or when `signal` aborts. */
  wait(
    look: () => InstanceSlot | undefined,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<InstanceSlot | undefined> {
    const found = look();
    if (found !== undefined || timeoutMs <= 0 || signal.aborted) return Promise.resolve(found);
    return new Promise((resolve) => {
      const endsAtMs = performance.now() + timeoutMs;
      const tick = (): void => {
        const slot = signal.aborted ? undefined : look();
        if (slot === undefined && !signal.aborted && performance.now() < endsAtMs) return;
        this.waiting.delete(tick);
        if (this.waiting.size === 0) clearInterval(this.timer);
        resolve(slot);
      };
      this.waiting.add(tick);
      if (this.waiting.size === 1)
        this.timer = setInterval(() => this.waiting.forEach((again) => again()), lookEveryMs);
    });
  }
}
