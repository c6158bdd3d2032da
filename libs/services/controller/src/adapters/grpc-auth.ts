import { AuthServiceClient } from '@mooring/contracts/auth';
import { createServiceClient } from '@mooring/rpc';
import type { Auth } from '../ports.ts';

/** Auth over gRPC. `close` ends the connection. */
export function createGrpcAuth(address: string): Auth & { close(): void } {
  const { call, close } = createServiceClient(AuthServiceClient, address, 'auth');
  return {
    ensureEndpointKeys: async (endpoint) => {
      await call('ensureEndpointKeys', { endpoint });
    },
    deleteEndpointKeys: async (endpoint) => {
      await call('deleteEndpointKeys', { endpoint });
    },
    seal: async (plain, purpose) => (await call('seal', { plain: Buffer.from(plain), purpose })).sealed,
    open: async (sealed, purpose) => {
      const { plain } = await call('open', { sealed, purpose });
      return Buffer.from(plain).toString('utf8');
    },
    close,
  };
}
