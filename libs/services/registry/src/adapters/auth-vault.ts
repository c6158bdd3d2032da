import { hash } from 'node:crypto';
import { AuthServiceClient } from '@mooring/contracts/auth';
import { createClient } from '@mooring/rpc';
import type { VariableVault } from '../ports.ts';

/** Opened values kept, so that a list of deployments does not ask auth for each one anew. */
const openedMax = 512;

/** Seals through the auth service, which alone has the master key. */
export function createAuthVault(authAddress: string): VariableVault & { close(): void } {
  const auth = createClient(AuthServiceClient, authAddress);
  const opened = new Map<string, Readonly<Record<string, string>>>();
  const purposeOf = (storeKey: string): string => `environment-variables/${storeKey}`;
  return {
    seal: async (storeKey, variables) => {
      const plain = Buffer.from(JSON.stringify(variables), 'utf8');
      return (await auth.call('seal', { plain, purpose: purposeOf(storeKey) })).sealed;
    },
    open: async (storeKey, sealed) => {
      // By a digest: sealed text may be long, and the purpose must match as well.
      const id = hash('sha256', `${storeKey}\0${sealed}`, 'base64');
      const known = opened.get(id);
      if (known !== undefined) return known;
      const { plain } = await auth.call('open', { sealed, purpose: purposeOf(storeKey) });
      const variables = JSON.parse(Buffer.from(plain).toString('utf8')) as Readonly<Record<string, string>>;
      const oldest = opened.keys().next().value;
      if (opened.size >= openedMax && oldest !== undefined) opened.delete(oldest);
      opened.set(id, variables);
      return variables;
    },
    close: () => auth.close(),
  };
}
