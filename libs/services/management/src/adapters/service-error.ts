import { PlatformError } from '@mooring/errors';

/** What grpc-js says by itself, when the other side sent no error of its own. */
const noAnswer = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED']);

/**
 * An error of a call between services, for people outside: that a service is gone is said without its address, and a
 * deadline that passed is as retryable as a lost connection.
 */
export function serviceError(thrown: unknown, service: string): PlatformError {
  const error = PlatformError.from(thrown);
  if (!noAnswer.has(error.reason)) return error;
  return new PlatformError(
    'unavailable',
    `${service.toUpperCase()}_UNAVAILABLE`,
    `the ${service} service gives no answer just now; try again shortly. If this was a change, read the resource before you repeat it`,
    { cause: thrown, retryAfterMs: 1_000 },
  );
}
