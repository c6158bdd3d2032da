import { kindWords, notFound } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Address } from './keys.ts';

/**
 * Refuses a write whose condition does not hold. `ifMatch`: empty = none, `*` = must exist, `0` = must not exist, else
 * the etag that was read. `revision` undefined = the resource does not exist.
 */
export function checkIfMatch(ifMatch: string, address: Address, revision: number | undefined): void {
  if (ifMatch === '') return;
  if (revision !== undefined && ifMatch === String(revision)) return;
  if (ifMatch === '*') {
    if (revision === undefined) throw notFound(address.kind, address.key);
    return;
  }
  const what = `the ${kindWords(address.kind)} '${address.key}'`;
  if (ifMatch === '0') {
    if (revision === undefined) return;
    throw new PlatformError('already_exists', 'ALREADY_EXISTS', `${what} exists already`);
  }
  throw new PlatformError(
    'aborted',
    'STALE_ETAG',
    revision === undefined
      ? `${what} does not exist any more; read again and decide anew`
      : `${what} was changed since it was read; read it again and repeat the change`,
  );
}
