import { hash } from 'node:crypto';
import { AuthServiceClient } from '@mooring/contracts/auth';
import { PlatformError } from '@mooring/errors';
import { createClient } from '@mooring/rpc';
import type { VariableVault } from '../ports.ts';

/** Opened values kept, so that a list of deployments does not ask auth for each one anew; only short ones. */
const openedMax = 4_096;
const openedBytesMax = 16_384;
/** A change waits for auth while others wait for the change. */
const deadlineMs = 2_000;

/** Seals through the auth service, which alone has the master key. */
export function createAuthVault(authAddress: string): VariableVault & { close(): void } {
  const auth = createClient(AuthServiceClient, authAddress, deadlineMs);
  const opened = new Map<string, Readonly<Record<string, string>>>();
  const purposeOf = (storeKey: string): string => `environment-variables/${storeKey}`;
  // By a digest: sealed text may be long, and the purpose must match as well.
  const idOf = (storeKey: string, sealed: string): string => hash('sha256', `${storeKey}\0${sealed}`, 'base64');
  const remember = (id: string, variables: Readonly<Record<string, string>>, bytes: number): void => {
    if (bytes > openedBytesMax) return;
    const oldest = opened.keys().next().value;
    if (opened.size >= openedMax && oldest !== undefined) opened.delete(oldest);
    opened.set(id, variables);
  };
  return {
    seal: async (storeKey, variables) => {
      const plain = Buffer.from(JSON.stringify(variables), 'utf8');
      const { sealed } = await auth.call('seal', { plain, purpose: purposeOf(storeKey) }).catch(rethrow);
      // Whoever has just written it reads it next; that must not need auth a second time.
      remember(idOf(storeKey, sealed), variables, plain.byteLength);
      return sealed;
    },
    open: async (storeKey, sealed) => {
      const id = idOf(storeKey, sealed);
      const known = opened.get(id);
      if (known !== undefined) return known;
      const { plain } = await auth.call('open', { sealed, purpose: purposeOf(storeKey) }).catch(rethrow);
      const variables = JSON.parse(Buffer.from(plain).toString('utf8')) as Readonly<Record<string, string>>;
      remember(id, variables, plain.byteLength);
      return variables;
    },
    close: () => auth.close(),
  };
}

/** Whoever asked for a resource knows nothing of auth: say what it means for them. Sealing and opening change nothing. */
function rethrow(cause: unknown): never {
  const error = PlatformError.from(cause);
  if (error.code !== 'unavailable' && error.code !== 'deadline_exceeded') throw error;
  throw new PlatformError(
    'unavailable',
    'AUTH_UNAVAILABLE',
    'environment variables cannot be sealed or read while the auth service is away; nothing was changed. Try again shortly',
    { cause, retryAfterMs: 1_000 },
  );
}
