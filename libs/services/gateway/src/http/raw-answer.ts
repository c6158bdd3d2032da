import { STATUS_CODES } from 'node:http';
import type { PlatformError } from '@mooring/errors';

/** A whole HTTP/1.1 answer as text, for what never became a request. */
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
