import { PlatformError } from '@mooring/errors';

/** `why` says what is wrong, never what was sent. */
export function malformed(why: string): PlatformError {
  return new PlatformError('invalid_argument', 'HTTP_MALFORMED', `this is not a well-formed HTTP/1.1 request: ${why}`);
}

export function headTooLarge(bytesMax: number): PlatformError {
  return new PlatformError(
    'headers_too_large',
    'HEADERS_TOO_LARGE',
    `the request line and headers may have at most ${bytesMax} bytes`,
  );
}

export function tooManyHeaders(headersMax: number): PlatformError {
  return new PlatformError('headers_too_large', 'TOO_MANY_HEADERS', `a request may have at most ${headersMax} headers`);
}

export function targetTooLong(bytesMax: number): PlatformError {
  return new PlatformError('uri_too_long', 'URI_TOO_LONG', `the request line may have at most ${bytesMax} bytes`);
}

export function versionUnsupported(): PlatformError {
  return new PlatformError(
    'http_version_unsupported',
    'HTTP_VERSION_UNSUPPORTED',
    'use HTTP/1.1; HTTP/2 is for gRPC callers, on the address of the gRPC server',
  );
}

export function expectationFailed(): PlatformError {
  return new PlatformError('expectation_failed', 'EXPECTATION_FAILED', 'only `Expect: 100-continue` can be met');
}

export function chunkExtensionsTooLarge(): PlatformError {
  return new PlatformError('too_large', 'CHUNK_EXTENSIONS_TOO_LARGE', 'the chunk extensions are too large');
}

export function requestTooSlow(): PlatformError {
  return new PlatformError('scoring_timeout', 'REQUEST_TIMEOUT', 'the request came too slowly');
}

export function bodyTooSlow(ms: number, what: string): PlatformError {
  return new PlatformError('scoring_timeout', 'BODY_TIMEOUT', `the request body came too slowly: ${what} for ${ms} ms`);
}

export function callerGone(): PlatformError {
  return new PlatformError('cancelled', 'CALLER_GONE', 'the caller left while sending');
}
