import type { IncomingHttpHeaders } from 'node:http';
import { PlatformError } from '@mooring/errors';

/**
 * The condition of a write in the registry's words: empty = none, `*` = must exist, `0` = must not exist
 * (`If-None-Match: *`), else the etag that was read.
 */
export function readGuard(headers: IncomingHttpHeaders): string {
  const match = headers['if-match']?.trim() ?? '';
  const noneMatch = headers['if-none-match']?.trim() ?? '';
  if (noneMatch !== '') {
    if (match !== '') throw wrong('if-none-match', 'cannot stand beside If-Match', 'one of the two');
    if (noneMatch === '*') return '0';
    throw wrong('if-none-match', 'is not allowed here', "'*': only if there is none yet");
  }
  if (match === '' || match === '*') return match;
  // Etags are revisions; the quotes of HTTP and the mark of a weak one say nothing more.
  const etag = /^(?:W\/)?"?(\d{1,15})"?$/.exec(match)?.[1];
  if (etag === undefined) throw wrong('if-match', 'is not an etag', "the etag that was read, or '*'");
  return etag === '0' ? '00' : etag;
}

function wrong(path: string, problem: string, expected: string): PlatformError {
  return PlatformError.invalid('headers', [{ path, problem, expected }]);
}
