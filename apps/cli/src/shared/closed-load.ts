import { PlatformError } from '@mooring/errors';

export interface LoadResult {
  requestsPerS: number;
  p50Ms: number;
  p99Ms: number;
  failed: number;
  /** Refused for lack of room, and sent again later. */
  refused: number;
}

/** Longer times to try again are not kept to: a measurement is short. */
const patienceMs = 200;
const keptMax = 1_000_000;

/** Keeps `inFlight` requests open for `ms`. `send` rejects with PlatformError. Ends early when `signal` aborts. */
export async function closedLoad(
  send: () => Promise<unknown>,
  { inFlight, ms, signal }: { inFlight: number; ms: number; signal: AbortSignal },
): Promise<LoadResult> {
  const took: number[] = [];
  let [failed, refused] = [0, 0];
  const beganMs = performance.now();
  const endMs = beganMs + ms;
  const caller = async (): Promise<void> => {
    while (performance.now() < endMs && !signal.aborted) {
      const sentMs = performance.now();
      try {
        await send();
        if (took.length < keptMax) took.push(performance.now() - sentMs);
      } catch (thrown) {
        const error = PlatformError.from(thrown);
        if (error.code !== 'resource_exhausted') failed += 1;
        else refused += 1;
        await new Promise((resolve) => setTimeout(resolve, Math.min(error.retryAfterMs ?? patienceMs, patienceMs)));
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  signal.throwIfAborted();
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const seconds = (performance.now() - beganMs) / 1_000;
  return { requestsPerS: took.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), failed, refused };
}
