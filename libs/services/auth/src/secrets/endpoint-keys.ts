import { randomBytes } from 'node:crypto';
import { keyVerifier } from '@mooring/credentials';
import type { EndpointCredentialsRecord } from '@mooring/domain';
import type { Sealer } from './sealer.ts';

export type Slot = 'primary' | 'secondary';
type StoredKey = EndpointCredentialsRecord[Slot];

const keyBytes = 32;
const saltBytes = 16;

/** A new key for one slot: verifier for the data plane, sealed text for its owner. The key itself is not kept. */
export function makeStoredKey(sealer: Sealer, endpoint: string, slot: Slot): StoredKey {
  const key = randomBytes(keyBytes).toString('base64url');
  const sealed = sealer.seal(Buffer.from(key, 'utf8'), purposeOf(endpoint, slot));
  return { ...keyVerifier(key, randomBytes(saltBytes)), sealed };
}

export function makeCredentials(sealer: Sealer, endpoint: string): EndpointCredentialsRecord {
  return {
    endpoint,
    primary: makeStoredKey(sealer, endpoint, 'primary'),
    secondary: makeStoredKey(sealer, endpoint, 'secondary'),
  };
}

/** The key in clear, 43 characters. */
export function openKey(sealer: Sealer, endpoint: string, slot: Slot, stored: StoredKey): string {
  return sealer.open(stored.sealed, purposeOf(endpoint, slot)).toString('utf8');
}

/** Binds a sealed key to its place, so that records swapped in the store do not open. */
function purposeOf(endpoint: string, slot: Slot): string {
  return `endpoint-key/${endpoint.toLowerCase()}/${slot}`;
}
