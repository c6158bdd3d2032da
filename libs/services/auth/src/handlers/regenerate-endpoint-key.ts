import {
  KeySlot,
  type RegenerateEndpointKeyRequest,
  type RegenerateEndpointKeyResponse,
} from '@mooring/contracts/auth';
import { credentialsKey } from '@mooring/credentials';
import { PlatformError } from '@mooring/errors';
import { checkEndpointName, noKeys } from '../endpoint-name.ts';
import type { KeyDeps } from '../ports.ts';
import { makeStoredKey, type Slot } from '../secrets/endpoint-keys.ts';

/** Two people who regenerate both keys at once collide; more often than this something else is wrong. */
const attemptsMax = 8;

export function createRegenerateEndpointKey({ store, sealer }: KeyDeps) {
  return async ({ endpoint, slot }: RegenerateEndpointKeyRequest): Promise<RegenerateEndpointKeyResponse> => {
    checkEndpointName(endpoint);
    const which = slotOf(slot);
    const key = credentialsKey(endpoint);
    for (let attempt = 1; ; attempt += 1) {
      const entry = await store.get(key);
      if (entry === undefined) throw noKeys(endpoint);
      try {
        await store.update(key, { ...entry.value, [which]: makeStoredKey(sealer, endpoint, which) }, entry.revision);
        return {};
      } catch (thrown) {
        if (PlatformError.from(thrown).code !== 'aborted' || attempt === attemptsMax) throw thrown;
      }
    }
  };
}

function slotOf(slot: KeySlot): Slot {
  if (slot === KeySlot.KEY_SLOT_PRIMARY) return 'primary';
  if (slot === KeySlot.KEY_SLOT_SECONDARY) return 'secondary';
  throw PlatformError.invalid('regenerate a key', [
    { path: 'slot', problem: 'does not say which key', expected: 'primary or secondary' },
  ]);
}
