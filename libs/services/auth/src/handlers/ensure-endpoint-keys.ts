import type { EnsureEndpointKeysRequest, EnsureEndpointKeysResponse } from '@mooring/contracts/auth';
import { credentialsKey } from '@mooring/credentials';
import { PlatformError } from '@mooring/errors';
import { checkEndpointName } from '../endpoint-name.ts';
import type { KeyDeps } from '../ports.ts';
import { makeCredentials } from '../secrets/endpoint-keys.ts';

/** Makes the pair once: of several callers at the same time one creates it, the others find it. */
export function createEnsureEndpointKeys({ store, sealer }: KeyDeps) {
  return async ({ endpoint }: EnsureEndpointKeysRequest): Promise<EnsureEndpointKeysResponse> => {
    checkEndpointName(endpoint);
    const key = credentialsKey(endpoint);
    if ((await store.get(key)) !== undefined) return {};
    try {
      await store.create(key, makeCredentials(sealer, endpoint));
    } catch (thrown) {
      if (PlatformError.from(thrown).code !== 'already_exists') throw thrown;
    }
    return {};
  };
}
