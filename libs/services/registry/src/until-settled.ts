import { PlatformError } from '@mooring/errors';

/** Far more than people, retries and the controller ever need on one document at once. */
const attemptsMax = 32;

/**
 * Reads, checks and writes anew as long as `attempt` says, with undefined, that somebody else wrote between its read
 * and its write.
 */
export async function untilSettled<T extends object>(
  signal: AbortSignal,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  for (let tries = 0; tries < attemptsMax; tries += 1) {
    // Whoever left must not find the change made.
    signal.throwIfAborted();
    const outcome = await attempt();
    if (outcome !== undefined) return outcome;
  }
  throw new PlatformError(
    'aborted',
    'CONTENDED',
    'others change this resource all the time; nothing was changed. Try again shortly',
    { retryAfterMs: 1_000 },
  );
}
