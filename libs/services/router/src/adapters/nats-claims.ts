import { idempotencyBucket, type IdempotencyRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Bucket, Nats } from '@mooring/messaging';
import type { ClaimStore } from '../repeat/claims.ts';

export interface ClaimLimits {
  ttlMs: number;
  bytesMax: number;
}

/** A request waits no longer than this for the store, and then does without. */
const deadlineMs = 1_000;
/** How long nobody tries again what did not answer in time. */
const awayMs = 2_000;

/**
 * The bucket in NATS's memory, opened with the first key that a caller sends. It is gone when NATS was, and made again then.
 */
export function createNatsClaims(nats: Nats, limits: ClaimLimits): ClaimStore {
  let opened: Promise<Bucket<IdempotencyRecord>> | undefined;
  let awayUntilMs = 0;
  const attempt = async <R>(work: (bucket: Bucket<IdempotencyRecord>) => Promise<R>): Promise<R> => {
    const mine = (opened ??= nats.bucket<IdempotencyRecord>(idempotencyBucket, { memory: limits, deadlineMs }));
    const forget = (): void => {
      if (opened === mine) opened = undefined;
    };
    mine.catch(forget);
    try {
      return await work(await mine);
    } catch (thrown) {
      if (isUnavailable(thrown)) forget();
      throw thrown;
    }
  };
  return {
    use: async (work) => {
      if (!nats.connected() || performance.now() < awayUntilMs) throw away();
      const startedMs = performance.now();
      try {
        return await attempt(work);
      } catch (thrown) {
        // At once: the bucket went with a NATS that is back. After a while: NATS is there and gives no answer.
        if (!isUnavailable(thrown) || !nats.connected() || performance.now() - startedMs >= deadlineMs)
          throw noted(thrown);
      }
      return attempt(work).catch((thrown: unknown) => {
        throw noted(thrown);
      });
    },
  };

  function noted(thrown: unknown): unknown {
    if (isUnavailable(thrown)) awayUntilMs = performance.now() + awayMs;
    return thrown;
  }
}

function isUnavailable(thrown: unknown): boolean {
  return PlatformError.from(thrown).code === 'unavailable';
}

function away(): PlatformError {
  return new PlatformError(
    'unavailable',
    'STATE_STORE_UNAVAILABLE',
    'the idempotency keys of other processes are not known',
  );
}
