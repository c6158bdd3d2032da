import { PlatformError } from '@mooring/errors';

const notYetMs = 1_000;

export function queueFull(length: number, retryAfterMs: number): PlatformError {
  return new PlatformError('resource_exhausted', 'QUEUE_FULL', `${length} calls wait for a worker already`, {
    retryAfterMs,
  });
}

export function unreachable(needsMs: number, hasMs: number, retryAfterMs: number): PlatformError {
  return new PlatformError(
    'unavailable',
    'DEADLINE_UNREACHABLE',
    `the workers are busy for about ${Math.ceil(needsMs)} ms, and the call has ${Math.floor(hasMs)} ms`,
    { retryAfterMs },
  );
}

export function notLoaded(): PlatformError {
  return new PlatformError('unavailable', 'MODEL_NOT_READY', 'the scoring script is still being loaded', {
    retryAfterMs: notYetMs,
  });
}

export function stopping(): PlatformError {
  return new PlatformError('unavailable', 'INSTANCE_STOPPING', 'the instance is stopping', { retryAfterMs: notYetMs });
}

export function crashes(why: string): PlatformError {
  return new PlatformError('unavailable', 'SCRIPT_CRASHES', why, { retryAfterMs: notYetMs });
}

export function exited(words: string, retryAfterMs: number): PlatformError {
  const message = `the scoring script's process ${words} while it answered`;
  return new PlatformError('unavailable', 'WORKER_EXITED', message, { retryAfterMs });
}

export function tooLate(what: string, retryAfterMs: number): PlatformError {
  const message = `the call ${what} (request_timeout_ms or the caller's deadline)`;
  return new PlatformError('scoring_timeout', 'SCORING_TIMEOUT', message, { retryAfterMs });
}

export function callerGone(): PlatformError {
  return new PlatformError('cancelled', 'CALLER_GONE', 'the caller is gone');
}
