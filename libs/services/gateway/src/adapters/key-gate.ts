import { OpenedKeys, type Credentials } from '@mooring/credentials';
import type { EndpointGate } from '../ports.ts';

/** The gate on the verifiers that this process watches. */
export function createKeyGate(credentials: Pick<Credentials, 'get'>): EndpointGate {
  const keys = new OpenedKeys();
  return {
    opens: (endpoint, key) => {
      const record = credentials.get(endpoint);
      return record !== undefined && keys.opens(record, key);
    },
  };
}
