import { PlatformError } from '@mooring/errors';
import type { RpcClient } from '@mooring/rpc';

/** What grpc-js says by itself, when the other side sent no error of its own. */
const noAnswer = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED']);

/** The client's call, with errors for people: that a service is gone is said without its address. */
export function callsTo<C>(client: RpcClient<C>, service: string): RpcClient<C>['call'] {
  return async (method, request, options) => {
    try {
      return await client.call(method, request, options);
    } catch (thrown) {
      const error = PlatformError.from(thrown);
      if (!noAnswer.has(error.reason)) throw error;
      const reason = `${service.toUpperCase()}_UNAVAILABLE`;
      throw new PlatformError('unavailable', reason, `the ${service} service gives no answer just now`, {
        cause: thrown,
      });
    }
  };
}
