import { STATUS_CODES } from 'node:http';
import type { HttpResponse } from './http-request.ts';

/** Up to here head and body are copied into one buffer: one small copy is cheaper than a second piece in the write. */
const copyBytesMax = 16 * 1024;
const statusLines = new Map(
  Object.entries(STATUS_CODES).map(([status, text]) => [Number(status), `HTTP/1.1 ${status} ${text}\r\n`]),
);

let dateSecond = 0;
let dateLine = '';

/** The `date` line, made once a second. */
function date(nowMs: number): string {
  const second = Math.floor(nowMs / 1_000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateLine = `date: ${new Date(nowMs).toUTCString()}\r\n`;
  }
  return dateLine;
}

export interface EncodeOptions {
  /** The `connection` line, and others that belong to the connection. */
  connection: string;
  /** An answer to HEAD says how long the body would be. */
  withoutBody: boolean;
  nowMs: number;
}

/** The bytes of an answer: one buffer, or head and body where the body is large. */
export function encodeResponse({ status, headers, body }: HttpResponse, options: EncodeOptions): Buffer[] {
  // RFC 9110, 15.3.5: a 204 has no content, and no length either.
  const none = status === 204;
  const length = none ? '' : `content-length: ${body.length}\r\n`;
  const line = statusLines.get(status) ?? `HTTP/1.1 ${status} Unknown\r\n`;
  const head = `${line}${headers}${date(options.nowMs)}${options.connection}${length}\r\n`;
  const bodyBytes = none || options.withoutBody ? 0 : body.length;
  if (bodyBytes > copyBytesMax) return [Buffer.from(head, 'latin1'), body];
  const bytes = Buffer.allocUnsafe(head.length + bodyBytes);
  bytes.write(head, 0, 'latin1');
  if (bodyBytes > 0) bytes.set(body, head.length);
  return [bytes];
}
