import { AuthServiceClient, KeySlot } from '@mooring/contracts/auth';
import { createServiceClient } from '@mooring/rpc';
import type { AuthPort } from '../ports.ts';
import { advice } from './advice.ts';

/** Auth over gRPC. `close` ends the connection. */
export function createGrpcAuth(address: string): AuthPort & { close(): void } {
  const { call, close } = createServiceClient(AuthServiceClient, address, 'auth', { advice });
  return {
    authenticate: async (token) => (await call('authenticateManagement', { token })).principal,
    listKeys: (endpoint) => call('listEndpointKeys', { endpoint }),
    regenerateKey: async (endpoint, slot) => {
      const wanted = slot === 'primary' ? KeySlot.KEY_SLOT_PRIMARY : KeySlot.KEY_SLOT_SECONDARY;
      await call('regenerateEndpointKey', { endpoint, slot: wanted });
    },
    seal: async (plain, purpose) => (await call('seal', { plain: Buffer.from(plain), purpose })).sealed,
    open: async (sealed, purpose) => (await call('open', { sealed, purpose })).plain.toString('utf8'),
    close,
  };
}
