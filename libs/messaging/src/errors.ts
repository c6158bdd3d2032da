import { JetStreamApiError } from '@nats-io/jetstream';
import { PlatformError } from '@mooring/errors';

const wrongLastSequence = new Set([10071, 10164]);

/** What NATS threw, as the error that callers act on. */
export function storeError(thrown: unknown, what: string): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  if (thrown instanceof JetStreamApiError && wrongLastSequence.has(thrown.code)) {
    return new PlatformError('aborted', 'STALE_ETAG', `${what} was changed by somebody else; read it again`, {
      cause: thrown,
    });
  }
  if (thrown instanceof JetStreamApiError && thrown.code < 500 && thrown.code >= 400) {
    return new PlatformError('internal', 'STATE_STORE_REFUSED', `the state store refused ${what}`, { cause: thrown });
  }
  return new PlatformError(
    'unavailable',
    'STATE_STORE_UNAVAILABLE',
    `the state store (NATS) gave no answer for ${what}; whether it was stored is not known. Read it again shortly`,
    { cause: thrown, retryAfterMs: 1_000 },
  );
}

/** Said before anything was sent, so nothing can have changed. */
export function disconnected(what: string): PlatformError {
  return new PlatformError(
    'unavailable',
    'STATE_STORE_UNAVAILABLE',
    `the state store (NATS) cannot be reached; nothing was changed for ${what}. Try again shortly`,
    { retryAfterMs: 1_000 },
  );
}

/** Rejects with `unavailable` when `work` takes longer than `deadlineMs`. */
export async function within<T>(work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
  try {
    return await Promise.race([work, late.promise]);
  } catch (thrown) {
    throw storeError(thrown, what);
  } finally {
    clearTimeout(timer);
  }
}
