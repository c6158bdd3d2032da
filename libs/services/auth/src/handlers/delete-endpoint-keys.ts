import type { DeleteEndpointKeysRequest, DeleteEndpointKeysResponse } from '@mooring/contracts/auth';
import { credentialsKey } from '@mooring/credentials';
import { checkEndpointName } from '../endpoint-name.ts';
import type { KeyDeps } from '../ports.ts';

/** Keys that are gone already count as deleted. */
export function createDeleteEndpointKeys({ store }: Pick<KeyDeps, 'store'>) {
  return async ({ endpoint }: DeleteEndpointKeysRequest): Promise<DeleteEndpointKeysResponse> => {
    checkEndpointName(endpoint);
    await store.delete(credentialsKey(endpoint));
    return {};
  };
}
