import { Agent, request as httpRequest, type ClientRequest } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Scope } from '../scope.ts';
import type { HttpRequest } from './http-request.ts';
import { type Marks, type Outcome, toResponse } from './http-outcome.ts';
import { isExpected, type K6Response } from './http-response.ts';

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
