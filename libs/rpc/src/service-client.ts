import { PlatformError } from '@mooring/errors';
import { createClient, type ClientClass, type Closable, type RpcClient } from './client.ts';

export interface ServiceClientOptions {
  deadlineMs?: number;
  /** Follows the word that the service is away, for whoever reads it. */
  advice?: string;
}

/** What grpc-js says by itself, when the other side sent no error of its own. */
const noAnswer = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED']);

/**
 * A client of a neighbour service. That the neighbour is away is said by its name, without its address, as
 * `unavailable`/`<SERVICE>_UNAVAILABLE`; a deadline that passed is as retryable as a lost connection.
 */
export function createServiceClient<C extends Closable>(
  Constructor: ClientClass<C>,
  address: string,
  service: string,
  { deadlineMs, advice = '' }: ServiceClientOptions = {},
): RpcClient<C> {
  const client = createClient(Constructor, address, deadlineMs);
  return {
    call: async (method, request, options) => {
      try {
        return await client.call(method, request, options);
      } catch (thrown) {
        const error = PlatformError.from(thrown);
        if (!noAnswer.has(error.reason)) throw error;
        const reason = `${service.toUpperCase().replaceAll('-', '_')}_UNAVAILABLE`;
        const message = `the ${service} service gives no answer just now${advice}`;
        throw new PlatformError('unavailable', reason, message, { cause: thrown, retryAfterMs: 1_000 });
      }
    },
    close: () => client.close(),
  };
}
