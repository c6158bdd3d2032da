import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { firstRawOutput } from '../bench/models/infer-response.ts';
import { inferRequest, oipJson } from '../bench/payloads.ts';
import { isRight, type Case } from './cases.ts';
import type { Outcome } from './tally.ts';

/** Where requests go now; read anew for each. */
export interface Target {
  http: string;
  grpc: string;
  endpoint: string;
  key: string;
}

export interface Caller {
  name: string;
  send(target: Target, one: Case): Promise<Outcome>;
  close(): void;
}

const answerMs = 15_000;
const output = 'probabilities';
const inferPath = '/inference.GRPCInferenceService/ModelInfer';

/** REST over connections that are kept, as most clients do. `withKey`: each request carries an Idempotency-Key. */
export function keptConnections(withKey: boolean): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const name = withKey ? 'REST with Idempotency-Key' : 'REST';
  return { name, send: (target, one) => sendRest(name, agent, target, one, withKey), close: () => agent.destroy() };
}

/** REST, each request on a connection of its own: some come just when nobody seems to listen. */
export function freshConnections(): Caller {
  const agent = new Agent({ keepAlive: false });
  const name = 'REST, new connections';
  return { name, send: (target, one) => sendRest(name, agent, target, one, false), close: () => agent.destroy() };
}

function sendRest(name: string, agent: Agent, target: Target, one: Case, withKey: boolean): Promise<Outcome> {
  const startedAt = performance.now();
  const body = oipJson({ input: 'input', shape: [1, 4], data: one.row, output }, output);
  const headers: Record<string, string | number> = {
    authorization: `Bearer ${target.key}`,
    'content-type': 'application/json',
    'content-length': body.length,
  };
  if (withKey) headers['idempotency-key'] = randomUUID();
  return new Promise((resolve) => {
    const done = (part: Pick<Outcome, 'kind' | 'detail'> & { refusedStarted?: boolean }): void =>
      resolve({ refusedStarted: false, ...part, tookMs: performance.now() - startedAt });
    const failed = (error: Error): void => done({ kind: 'lost', detail: `${name}: ${codeOf(error)}` });
    const url = `${target.http}/v2/models/${target.endpoint}/infer`;
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', failed);
      response.on('end', () => done(judged(name, response.statusCode ?? 0, Buffer.concat(chunks), one, withKey)));
    });
    call.setTimeout(answerMs, () => call.destroy(new Error('no answer in time')));
    call.on('error', failed);
    call.end(body);
  });
}

function judged(name: string, httpStatus: number, body: Buffer, one: Case, withKey: boolean): Omit<Outcome, 'tookMs'> {
  try {
    const value = JSON.parse(body.toString('utf8')) as {
      outputs?: { name: string; data: number[] }[];
      reason?: string;
    };
    if (httpStatus !== 200) {
      const detail = `${name}: ${httpStatus} ${value.reason ?? ''}`;
      const refusedStarted = httpStatus === 503 && value.reason === 'INSTANCE_LOST' && !withKey;
      return { kind: 'lost', detail, refusedStarted };
    }
    const data = value.outputs?.find((each) => each.name === output)?.data ?? [];
    return { kind: isRight(one, data) ? 'right' : 'wrong', detail: `${name}: wrong numbers`, refusedStarted: false };
  } catch {
    return { kind: 'wrong', detail: `${name}: ${httpStatus} with no JSON`, refusedStarted: false };
  }
}

/** gRPC by grpc-js, one connection for all. */
export function grpcCaller(): Caller {
  const name = 'gRPC';
  const clients = new Map<string, Client>();
  const clientOf = (address: string): Client => {
    const client = clients.get(address) ?? new Client(address, credentials.createInsecure());
    clients.set(address, client);
    return client;
  };
  return {
    name,
    send: (target, one) => sendGrpc(name, clientOf(target.grpc), target, one),
    close: () => clients.forEach((client) => client.close()),
  };
}

function sendGrpc(name: string, client: Client, { endpoint, key }: Target, one: Case): Promise<Outcome> {
  const startedAt = performance.now();
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${key}`);
  const message = inferRequest(endpoint, { input: 'input', shape: [1, 4], data: one.row, output });
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    const deadline = Date.now() + answerMs;
    client.makeUnaryRequest(inferPath, same, same, message, metadata, { deadline }, (error, answer) => {
      const tookMs = performance.now() - startedAt;
      if (error !== null) {
        const reason = String(error.metadata?.get('mooring-reason')[0] ?? error.details);
        const refusedStarted = error.code === status.UNAVAILABLE && reason === 'INSTANCE_LOST';
        resolve({ kind: 'lost', detail: `${name}: ${status[error.code]} ${reason}`, refusedStarted, tookMs });
        return;
      }
      const right = isRight(one, floatsIn(firstRawOutput(answer ?? Buffer.alloc(0), output)));
      resolve({ kind: right ? 'right' : 'wrong', detail: `${name}: wrong numbers`, refusedStarted: false, tookMs });
    });
  });
}

function floatsIn(bytes: Buffer): number[] {
  return Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readFloatLE(index * 4));
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
