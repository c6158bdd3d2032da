import { STATUS_CODES } from 'node:http';
import type { PlatformError } from '@mooring/errors';
import { armError } from './arm-error.ts';

/** A whole answer as text, for a connection whose request could not even be read. */
export function rawRefusal(error: PlatformError, requestId: string): { text: string } {
  const body = JSON.stringify(armError(error, requestId));
  const head = [
    `HTTP/1.1 ${error.httpStatus} ${STATUS_CODES[error.httpStatus] ?? 'Error'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-ms-request-id: ${requestId}`,
    'connection: close',
  ];
  return { text: `${head.join('\r\n')}\r\n\r\n${body}` };
}
