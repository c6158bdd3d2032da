import type { EndpointCredentialsRecord } from '@mooring/domain';
import type { Bucket } from '@mooring/messaging';
import type { Sealer } from './secrets/sealer.ts';

/** Bucket `mooring_credentials`. */
export type CredentialStore = Bucket<EndpointCredentialsRecord>;

export interface KeyDeps {
  store: CredentialStore;
  sealer: Sealer;
}
