import { OpenedKeys, type Credentials } from '@mooring/credentials';
import { PlatformError } from '@mooring/errors';
import type { EndpointGate } from '../ports.ts';

/** No key is nearly as long; hashing a megabyte for a stranger would be a gift. */
const keyCharactersMax = 512;

/** The gate on the verifiers that this process watches. */
export function createKeyGate(credentials: Pick<Credentials, 'get'>): EndpointGate {
  const keys = new OpenedKeys();
  return {
    check: (endpoint, authorization) => {
      const key = /^bearer +(\S+) *$/i.exec(authorization)?.[1];
      if (key === undefined || key.length > keyCharactersMax) {
        throw new PlatformError(
          'unauthenticated',
          'KEY_MALFORMED',
          'the metadata `authorization` must be `Bearer <key>`',
        );
      }
      const record = credentials.get(endpoint);
      if (record !== undefined && keys.opens(record, key)) return;
      throw new PlatformError(
        'unauthenticated',
        'KEY_INVALID',
        `the key does not open endpoint '${endpoint}'; \`mooring online-endpoint get-credentials\` shows its keys`,
      );
    },
  };
}
