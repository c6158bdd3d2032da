import type { Platform } from './platform.ts';

const everyMs = 1_000;

export interface RetryCounter {
  /** Calls that were given to another instance since the count began. */
  total(): Promise<number>;
  stop(): void;
}

/** The counters of a process are gone with it, so all are looked at once a second; each process has series of its own. */
export function countRetries(platform: Platform): RetryCounter {
  const last = new Map<string, number>();
  const look = async (): Promise<void> => {
    try {
      for (const [series, value] of await platform.retries()) last.set(series, value);
    } catch {
      // What would tell is being restarted; the next look will do.
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  return {
    total: async () => {
      await look();
      return [...last.values()].reduce((sum, value) => sum + value, 0);
    },
    stop: () => clearInterval(timer),
  };
}
