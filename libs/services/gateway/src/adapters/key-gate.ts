import { OpenedKeys, type Credentials } from '@mooring/credentials';
import type { EndpointGate } from '../ports.ts';

/** The gate on the verifiers that this process watches. */
export function createKeyGate(credentials: Pick<Credentials, 'get'>): EndpointGate {
  const keys = new OpenedKeys();
  return {
    opens: (endpoint, key, known) => {
      const record = credentials.get(endpoint);
      if (record === undefined) return false;
      // Only a caller that repeats its head, key included, gets here with what it knew: nobody is compared with a secret.
      if (known?.opened === record) return true;
      if (!keys.opens(record, key)) return false;
      if (known !== undefined) known.opened = record;
      return true;
    },
  };
}
