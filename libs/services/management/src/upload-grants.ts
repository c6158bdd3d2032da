import { PlatformError } from '@mooring/errors';
import type { AuthPort } from './ports.ts';

/** Right to read and write one container until a time. */
interface Grant {
  container: string;
  until: number;
}

export interface UploadGrants {
  /** Query of an address that may be written to for a while, as Azure's signed addresses look. */
  issue(container: string): Promise<URLSearchParams>;
  /** Rejects with `permission_denied` unless the query allows this container now. */
  check(query: Readonly<Record<string, unknown>>, container: string): Promise<void>;
}

const purpose = 'management-upload';
const knownMax = 1_000;
const signatureCharactersMax = 2_048;

/**
 * Signed upload addresses. The signature is the grant itself, sealed by auth, so that any management process takes it,
 * also after a restart. What auth has opened once is remembered until it ends.
 */
export function createUploadGrants(auth: AuthPort, ttlMs: number, now: () => number = Date.now): UploadGrants {
  const known = new Map<string, Grant>();
  return {
    issue: async (container) => {
      const until = now() + ttlMs;
      const sealed = await auth.seal(JSON.stringify({ container, until } satisfies Grant), purpose);
      return new URLSearchParams({
        sv: '2024-11-04',
        sr: 'c',
        sp: 'rcw',
        se: new Date(until).toISOString(),
        sig: sealed,
      });
    },
    check: async (query, container) => {
      const signature = query['sig'];
      if (typeof signature !== 'string' || signature === '' || signature.length > signatureCharactersMax) {
        throw denied('UPLOAD_NOT_SIGNED', 'the address carries no signature; ask startPendingUpload for one');
      }
      const grant = known.get(signature) ?? (await open(auth, signature));
      if (grant.until <= now()) {
        known.delete(signature);
        throw denied('UPLOAD_EXPIRED', 'the upload address has expired; ask startPendingUpload for another');
      }
      if (grant.container !== container) throw denied('UPLOAD_ELSEWHERE', 'the upload address is of another container');
      if (known.size >= knownMax) known.clear();
      known.set(signature, grant);
    },
  };
}

async function open(auth: AuthPort, signature: string): Promise<Grant> {
  try {
    return JSON.parse(await auth.open(signature, purpose)) as Grant;
  } catch (thrown) {
    const error = PlatformError.from(thrown);
    if (error.code === 'unavailable') throw error;
    throw denied('UPLOAD_SIGNATURE', 'the signature of the upload address is not valid');
  }
}

function denied(reason: string, message: string): PlatformError {
  return new PlatformError('permission_denied', reason, message);
}
