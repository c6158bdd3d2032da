import type { handleUnaryCall, Metadata } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { PlatformError } from '@mooring/errors';
import { statusOf } from './errors.ts';

export interface CallContext {
  /** Aborts when the caller is gone or its deadline has passed. */
  signal: AbortSignal;
  /** Until when the caller waits, in milliseconds since 1970; infinite when it did not say. */
  deadline: number;
  metadata: Metadata;
}

/** A handler that just returns or throws. The only catch that turns an error into a status. */
export function unary<Q, R>(
  log: Logger,
  handler: (request: Q, context: CallContext) => Promise<R> | R,
): handleUnaryCall<Q, R> {
  return (call, reply) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort(new PlatformError('cancelled', 'CALLER_GONE', 'the caller is gone')));
    void (async () => {
      try {
        const deadline = Number(call.getDeadline());
        reply(null, await handler(call.request, { signal: gone.signal, deadline, metadata: call.metadata }));
      } catch (thrown) {
        const error = PlatformError.from(thrown);
        if (error.code === 'internal') log.error({ err: error.cause ?? error, reason: error.reason }, 'call failed');
        reply(statusOf(error));
      }
    })();
  };
}
