import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { messageOf } from '../errors.ts';
import type { Scope } from '../scope.ts';
import type { HttpRequest } from './http-request.ts';
import { canonicalHeaders, isExpected, K6Response, type Timings } from './http-response.ts';

const agentsKey = Symbol('http agents');

interface Agents {
  plain: Agent;
  tls: TlsAgent;
}

/** Every virtual user keeps connections of its own, as in k6. */
function agentsOf({ vu, test }: Scope): Agents {
  let agents = vu.store.get(agentsKey) as Agents | undefined;
  if (agents === undefined) {
    const keepAlive = test.options?.noConnectionReuse !== true;
    const rejectUnauthorized = test.options?.insecureSkipTLSVerify !== true;
    const made: Agents = { plain: new Agent({ keepAlive }), tls: new TlsAgent({ keepAlive, rejectUnauthorized }) };
    vu.store.set(agentsKey, made);
    vu.closers.push(() => {
      made.plain.destroy();
      made.tls.destroy();
    });
    agents = made;
  }
  return agents;
}

/** When what happened, by `performance.now()`; 0 = not (yet). */
interface Marks {
  begun: number;
  gotSocket: number;
  connected: number;
  secured: number;
  sent: number;
  answered: number;
  ended: number;
  isReused: boolean;
}

interface Outcome {
  readonly marks: Marks;
  readonly socket: Socket | undefined;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly message?: IncomingMessage;
  readonly body?: Buffer;
  readonly failure?: Error;
}

/** Sends one request and counts it. Rejects when the iteration is interrupted, and with `options.throw` on failures. */
export async function exchange(scope: Scope, request: HttpRequest): Promise<K6Response> {
  const outcome = await send(scope, request);
  if (scope.signal.aborted) throw scope.signal.reason;
  const response = toResponse(request, outcome);
  record(scope, request, response, outcome);
  if (response.error !== '' && scope.test.options?.throw === true) throw new Error(response.error);
  return response;
}

function send(scope: Scope, request: HttpRequest): Promise<Outcome> {
  const agents = agentsOf(scope);
  const isTls = request.url.protocol === 'https:';
  const marks = newMarks();
  const client = (isTls ? httpsRequest : httpRequest)(request.url, {
    method: request.method,
    headers: request.headers,
    agent: isTls ? agents.tls : agents.plain,
    signal: scope.signal,
  });
  const before = { read: 0, written: 0 };
  client.once('socket', (socket) => {
    before.read = client.reusedSocket ? socket.bytesRead : 0;
    before.written = client.reusedSocket ? socket.bytesWritten : 0;
    watchSocket(client, socket, marks);
  });
  client.once('finish', () => (marks.sent = performance.now()));
  return new Promise((resolve) => {
    const timer = setTimeout(() => client.destroy(new RequestTimeout()), request.timeoutMs);
    const end = (more: Partial<Outcome>): void => {
      clearTimeout(timer);
      marks.ended = performance.now();
      const { socket } = client;
      const bytesSent = Math.max(0, (socket?.bytesWritten ?? 0) - before.written);
      const bytesReceived = Math.max(0, (socket?.bytesRead ?? 0) - before.read);
      resolve({ marks, socket: socket ?? undefined, bytesSent, bytesReceived, ...more });
    };
    client.on('error', (failure) => end({ failure }));
    client.once('response', (message) => {
      marks.answered = performance.now();
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => request.responseType !== 'none' && chunks.push(chunk));
      message.once('end', () => end({ message, body: Buffer.concat(chunks) }));
      message.once('error', (failure) => end({ failure }));
    });
    client.end(request.body);
  });
}

class RequestTimeout extends Error {
  readonly code = 'REQUEST_TIMEOUT';

  constructor() {
    super('request timeout');
  }
}

function newMarks(): Marks {
  const begun = performance.now();
  return { begun, gotSocket: 0, connected: 0, secured: 0, sent: 0, answered: 0, ended: 0, isReused: false };
}

function watchSocket(client: ClientRequest, socket: Socket, marks: Marks): void {
  marks.gotSocket = performance.now();
  marks.isReused = client.reusedSocket;
  if (marks.isReused) return;
  socket.once('connect', () => (marks.connected = performance.now()));
  socket.once('secureConnect', () => (marks.secured = performance.now()));
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

function toResponse(request: HttpRequest, outcome: Outcome): K6Response {
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

function record(scope: Scope, request: HttpRequest, response: K6Response, outcome: Outcome): void {
  const { metrics } = scope.test;
  const expected = isExpected(scope, request.expected, response.status);
  const error = response.error === '' ? {} : { error: response.error };
  const tags = {
    ...scope.tags,
    group: scope.group,
    method: request.method,
    url: request.url.href,
    status: String(response.status),
    proto: response.proto,
    ...(expected === undefined ? {} : { expected_response: String(expected) }),
    ...(response.error_code === 0 ? {} : { error_code: String(response.error_code) }),
    ...error,
    ...request.tags,
    name: request.name,
  };
  const { timings } = response;
  metrics.addByName('http_reqs', 1, tags);
  metrics.addByName('http_req_duration', timings.duration, tags);
  metrics.addByName('http_req_blocked', timings.blocked, tags);
  metrics.addByName('http_req_connecting', timings.connecting, tags);
  metrics.addByName('http_req_tls_handshaking', timings.tls_handshaking, tags);
  metrics.addByName('http_req_sending', timings.sending, tags);
  metrics.addByName('http_req_waiting', timings.waiting, tags);
  metrics.addByName('http_req_receiving', timings.receiving, tags);
  if (expected !== undefined) metrics.addByName('http_req_failed', expected ? 0 : 1, tags);
  metrics.addByName('data_sent', outcome.bytesSent, tags);
  metrics.addByName('data_received', outcome.bytesReceived, tags);
}
