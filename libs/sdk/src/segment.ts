import { PlatformError } from '@mooring/errors';

/** A name as one segment of a path. Dots alone would lead to another path: URLs are resolved like folders. */
export function segment(name: string): string {
  if (/^\.{0,2}$/.test(name) || name.length > 1024) {
    const shown = name.length > 60 ? `${name.slice(0, 57)}...` : name;
    throw new PlatformError('invalid_argument', 'BAD_NAME', `'${shown}' cannot be the name of a resource`);
  }
  return encodeURIComponent(name.toWellFormed());
}
