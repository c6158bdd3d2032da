import { STATUS_CODES } from 'node:http';
import { PlatformError } from '@mooring/errors';

/** What Node's HTTP parser or its timers refused, before or instead of a request that a handler could answer. */
export function protocolError(error: NodeJS.ErrnoException): PlatformError {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return new PlatformError('headers_too_large', 'HEADERS_TOO_LARGE', 'the request line and headers are too large');
  }
  if (error.code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return new PlatformError('too_large', 'CHUNK_EXTENSIONS_TOO_LARGE', 'the chunk extensions are too large');
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new PlatformError('scoring_timeout', 'REQUEST_TIMEOUT', 'the request came too slowly');
  }
  return new PlatformError('invalid_argument', 'HTTP_MALFORMED', 'this is not a well-formed HTTP/1.1 request');
}

/** A whole HTTP/1.1 answer as text, for a socket that has no response object. */
export function rawAnswer(error: PlatformError, requestId: string): string {
  const { code, reason, message, httpStatus } = error;
  const body = JSON.stringify({ error: { code, reason, message, requestId } });
  return [
    `HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus] ?? 'Error'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    `x-ms-request-id: ${requestId}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
