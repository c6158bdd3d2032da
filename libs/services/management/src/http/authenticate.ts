import { createHash } from 'node:crypto';
import { PlatformError } from '@mooring/errors';
import type { AuthPort } from '../ports.ts';

const tokensMax = 1_000;
const tokenCharactersMax = 8_192;

/** Who calls. Rejects with `unauthenticated`. */
export type Authenticate = (authorization: string | undefined) => Promise<string>;

/** Bearer tokens as auth confirms them, believed for `cacheMs`. Tokens themselves are not kept, only their digests. */
export function createAuthenticate(auth: AuthPort, cacheMs: number, now: () => number = Date.now): Authenticate {
  const known = new Map<string, { principal: string; until: number }>();
  return async (authorization) => {
    const token = bearerOf(authorization);
    const digest = createHash('sha256').update(token).digest('base64');
    const hit = known.get(digest);
    if (hit !== undefined && hit.until > now()) return hit.principal;
    known.delete(digest);
    const principal = await auth.authenticate(token);
    if (known.size >= tokensMax) known.clear();
    known.set(digest, { principal, until: now() + cacheMs });
    return principal;
  };
}

function bearerOf(authorization: string | undefined): string {
  const token = /^bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
  if (token !== undefined && token.length <= tokenCharactersMax) return token;
  throw new PlatformError(
    'unauthenticated',
    'MANAGEMENT_TOKEN_MISSING',
    'a management token is needed: send it as `Authorization: Bearer <token>` (MOORING_TOKEN for the command line)',
  );
}
