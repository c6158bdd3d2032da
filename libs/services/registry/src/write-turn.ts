import { PlatformError } from '@mooring/errors';

/** Runs writes one after the other, so that what one has checked about other documents still holds when it is stored. */
export type WriteTurn = <T>(signal: AbortSignal, write: () => Promise<T>) => Promise<T>;

const waitingMax = 256;

export function createWriteTurn(): WriteTurn {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (signal, write) => {
    if (waiting >= waitingMax) {
      throw new PlatformError(
        'resource_exhausted',
        'REGISTRY_BUSY',
        `${waiting} changes wait already; nothing was changed. Try again shortly`,
        { retryAfterMs: 1_000 },
      );
    }
    waiting += 1;
    const mine = last.then(() => {
      waiting -= 1;
      // Whoever left while waiting must not find the change made.
      signal.throwIfAborted();
      return write();
    });
    last = mine.catch(() => undefined);
    return mine;
  };
}
