import { PlatformError } from '@mooring/errors';

/** What is asked for is right, but no capability yet. */
export function laterError(capability: string): PlatformError {
  const message = `${capability}: they come with a later version of Mooring; a scoring script reads files of any kind`;
  return new PlatformError('unimplemented', 'NOT_SUPPORTED_YET', message);
}
