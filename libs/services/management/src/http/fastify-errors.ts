import { PlatformError } from '@mooring/errors';

/** What the framework threw by itself, as ours; anything unknown is `internal` and keeps its text to itself. */
export function platformErrorOf(thrown: unknown): PlatformError {
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown };
  if (typeof code !== 'string' || !code.startsWith('FST_ERR') || typeof statusCode !== 'number') {
    return PlatformError.from(thrown);
  }
  if (statusCode === 413) return new PlatformError('too_large', 'BODY_TOO_LARGE', 'the body is larger than allowed');
  if (statusCode === 415) {
    return new PlatformError('unsupported_media', 'CONTENT_TYPE', 'the body must be application/json');
  }
  if (statusCode < 500) {
    return new PlatformError('invalid_argument', 'BAD_REQUEST', 'the request is not well formed');
  }
  return PlatformError.from(thrown);
}
