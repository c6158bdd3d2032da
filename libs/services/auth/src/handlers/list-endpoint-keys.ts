import type { ListEndpointKeysRequest, ListEndpointKeysResponse } from '@mooring/contracts/auth';
import { credentialsKey } from '@mooring/credentials';
import { checkEndpointName, noKeys } from '../endpoint-name.ts';
import type { KeyDeps } from '../ports.ts';
import { openKey } from '../secrets/endpoint-keys.ts';

export function createListEndpointKeys({ store, sealer }: KeyDeps) {
  return async ({ endpoint }: ListEndpointKeysRequest): Promise<ListEndpointKeysResponse> => {
    checkEndpointName(endpoint);
    const entry = await store.get(credentialsKey(endpoint));
    if (entry === undefined) throw noKeys(endpoint);
    return {
      primaryKey: openKey(sealer, endpoint, 'primary', entry.value.primary),
      secondaryKey: openKey(sealer, endpoint, 'secondary', entry.value.secondary),
    };
  };
}
