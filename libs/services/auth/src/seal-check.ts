import type { Bucket } from '@mooring/messaging';
import { PlatformError } from '@mooring/errors';
import type { Sealer } from './secrets/sealer.ts';

/** In the credentials bucket, outside of what the data plane watches. */
const checkKey = 'sealing.check';
const purpose = 'master-key-check';

export interface SealCheck {
  sealed: string;
}

/**
 * Refuses a master key that is not the one under which the stored secrets were sealed: with it every key would be
 * unreadable, and new secrets would be sealed that the right key cannot open.
 */
export async function checkMasterKey(store: Bucket<SealCheck>, sealer: Sealer): Promise<void> {
  const entry = await store.get(checkKey);
  if (entry === undefined) {
    try {
      await store.create(checkKey, { sealed: sealer.seal(Buffer.from('mooring'), purpose) });
      return;
    } catch (thrown) {
      if (PlatformError.from(thrown).code !== 'already_exists') throw thrown;
      return checkMasterKey(store, sealer);
    }
  }
  try {
    sealer.open(entry.value.sealed, purpose);
  } catch {
    throw new Error(
      'the master key is not the one that the stored secrets were sealed with; put the right one back ' +
        '(secrets/master.key of the data folder, MOORING_MASTER_KEY or MOORING_MASTER_KEY_FILE)',
    );
  }
}
