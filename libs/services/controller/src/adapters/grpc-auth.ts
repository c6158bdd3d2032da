import { AuthServiceClient } from '@mooring/contracts/auth';
import { createClient } from '@mooring/rpc';
import type { Auth } from '../ports.ts';

/** Auth over gRPC. `close` ends the connection. */
export function createGrpcAuth(address: string): Auth & { close(): void } {
  const client = createClient(AuthServiceClient, address);
  return {
    ensureEndpointKeys: async (endpoint) => {
      await client.call('ensureEndpointKeys', { endpoint });
    },
    deleteEndpointKeys: async (endpoint) => {
      await client.call('deleteEndpointKeys', { endpoint });
    },
    seal: async (plain, purpose) => (await client.call('seal', { plain: Buffer.from(plain), purpose })).sealed,
    open: async (sealed, purpose) => {
      const { plain } = await client.call('open', { sealed, purpose });
      return Buffer.from(plain).toString('utf8');
    },
    close: () => client.close(),
  };
}
