import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { messageOf } from '../errors.ts';
import type { HttpRequest } from './http-request.ts';
import { canonicalHeaders, K6Response, type Timings } from './http-response.ts';

/** When what happened, by `performance.now()`; 0 = not (yet). */
export interface Marks {
  begun: number;
  gotSocket: number;
  connected: number;
  secured: number;
  sent: number;
  answered: number;
  ended: number;
  isReused: boolean;
}

export interface Outcome {
  readonly marks: Marks;
  readonly socket: Socket | undefined;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly message?: IncomingMessage;
  readonly body?: Buffer;
  readonly failure?: Error;
}

/** k6's stages: what happens before the connection stands is not part of the request's duration. */
function timingsOf(marks: Marks): Timings {
  const ready = Math.max(marks.gotSocket || marks.begun, marks.connected, marks.secured);
  const answered = marks.answered || marks.ended;
  // A small answer may come before Node has told that the request was written.
  const sent = Math.min(Math.max(marks.sent || answered, ready), answered);
  const sending = Math.max(0, sent - ready);
  const waiting = Math.max(0, answered - sent);
  const receiving = Math.max(0, marks.ended - answered);
  return {
    blocked: Math.max(0, (marks.gotSocket || marks.ended) - marks.begun),
    connecting: marks.connected === 0 ? 0 : marks.connected - marks.gotSocket,
    tls_handshaking: marks.secured === 0 ? 0 : marks.secured - marks.connected,
    sending,
    waiting,
    receiving,
    duration: sending + waiting + receiving,
  };
}

export function toResponse(request: HttpRequest, outcome: Outcome): K6Response {
  const { message, socket } = outcome;
  const headers = canonicalHeaders(message?.rawHeaders ?? []);
  const status = message?.statusCode ?? 0;
  const decoded = outcome.failure === undefined ? decode(outcome.body, headers['Content-Encoding']) : undefined;
  const failure = outcome.failure ?? redirectFailure(request, status, headers) ?? decoded?.failure;
  return new K6Response({
    url: request.url.href,
    status: outcome.failure === undefined ? status : 0,
    statusText: message === undefined ? '' : `${status} ${message.statusMessage ?? ''}`.trim(),
    proto: message === undefined ? '' : `HTTP/${message.httpVersion}`,
    headers,
    body: bodyOf(request.responseType, decoded?.bytes),
    timings: timingsOf(outcome.marks),
    error: failure === undefined ? '' : messageOf(failure),
    errorCode: failure === undefined ? (status >= 400 ? 1_000 + status : 0) : errorCodeOf(failure),
    remoteIp: socket?.remoteAddress ?? '',
    remotePort: socket?.remotePort ?? 0,
    request: {
      method: request.method,
      url: request.url.href,
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, [value]])),
      body: request.body?.toString('utf8') ?? '',
    },
  });
}

function redirectFailure(request: HttpRequest, status: number, headers: Record<string, string>): Error | undefined {
  if (!request.followsRedirects || status < 301 || status > 308 || headers['Location'] === undefined) return undefined;
  return new Error(`the stand-in runner follows no redirects; ask ${headers['Location']} itself, or set redirects: 0`);
}

function decode(body: Buffer | undefined, encoding = ''): { bytes?: Buffer; failure?: Error } {
  if (body === undefined || body.length === 0) return body === undefined ? {} : { bytes: body };
  try {
    if (encoding === 'gzip') return { bytes: gunzipSync(body) };
    if (encoding === 'deflate') return { bytes: inflateSync(body) };
    return { bytes: encoding === 'br' ? brotliDecompressSync(body) : body };
  } catch (error) {
    return { failure: new Error(`the answer is not ${encoding}: ${messageOf(error)}`, { cause: error }) };
  }
}

function bodyOf(type: HttpRequest['responseType'], bytes: Buffer | undefined): string | ArrayBuffer | null {
  if (type === 'none' || bytes === undefined) return null;
  return type === 'text' ? bytes.toString('utf8') : new Uint8Array(bytes).buffer;
}

/** k6's numbers for the commonest failures. */
function errorCodeOf(failure: Error & { code?: string }): number {
  const codes: Record<string, number> = {
    REQUEST_TIMEOUT: 1_050,
    ENOTFOUND: 1_101,
    ETIMEDOUT: 1_211,
    ECONNREFUSED: 1_212,
    ECONNRESET: 1_220,
  };
  return codes[failure.code ?? ''] ?? 1_000;
}
