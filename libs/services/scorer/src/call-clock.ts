import { PlatformError } from '@mooring/errors';
import type { ScoreCall } from '@mooring/scoring-stream';

/** The end of one call's time: the deployment's limit, the caller's own deadline, or the caller going away. */
export interface CallClock {
  /** Aborts with a PlatformError: the caller is gone, or the time is up. */
  signal: AbortSignal;
  /** From the call's arrival. */
  dueMs: number;
  overdue: () => PlatformError;
  stop: () => void;
}

/** How long a call may take: the caller's own deadline, or what the deployment allows. */
export function dueMsOf(deadlineMs: number, requestTimeoutMs: number): number {
  return deadlineMs > 0 && deadlineMs < requestTimeoutMs ? deadlineMs : requestTimeoutMs;
}

/** `retryAfterMs`: when a caller whose time is up has a better chance. */
export function startClock(
  call: ScoreCall,
  requestTimeoutMs: number,
  caller: AbortSignal,
  retryAfterMs: () => number,
): CallClock {
  const deadlineFirst = call.deadlineMs > 0 && call.deadlineMs < requestTimeoutMs;
  const dueMs = dueMsOf(call.deadlineMs, requestTimeoutMs);
  const overdue = (): PlatformError =>
    deadlineFirst
      ? PlatformError.refusal('deadline_exceeded', 'SCORING_DEADLINE', `the caller's deadline of ${dueMs} ms passed`, {
          retryAfterMs: retryAfterMs(),
        })
      : PlatformError.refusal(
          'scoring_timeout',
          'SCORING_TIMEOUT',
          `the request took longer than request_timeout_ms (${dueMs} ms)`,
          { retryAfterMs: retryAfterMs() },
        );
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(overdue()), dueMs);
  const gone = (): void => abort.abort(new PlatformError('cancelled', 'CALLER_GONE', 'the caller went away'));
  if (caller.aborted) gone();
  caller.addEventListener('abort', gone, { once: true });
  const stop = (): void => {
    clearTimeout(timer);
    caller.removeEventListener('abort', gone);
  };
  return { signal: abort.signal, dueMs, overdue, stop };
}

/** A promise for the signal's reason that leaves nothing behind when it is not needed any more. */
export function whenAborted(signal: AbortSignal): { promise: Promise<PlatformError>; stop: () => void } {
  const { promise, resolve } = Promise.withResolvers<PlatformError>();
  const tell = (): void => resolve(signal.reason as PlatformError);
  if (signal.aborted) tell();
  signal.addEventListener('abort', tell, { once: true });
  return { promise, stop: () => signal.removeEventListener('abort', tell) };
}
