import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  loadPackageDefinition,
  Metadata,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export const testKey = 'key-of-a-test';

export interface ServerOptions {
  /** How long one request takes. */
  serviceMs?: number;
  /** More at once are refused: 429 with Retry-After and a reason. */
  inFlightMax?: number;
  /** Refuses without saying when to come again. */
  isRude?: boolean;
}

export interface InferenceServer {
  readonly url: string;
  readonly grpcTarget: string;
  /** Request bodies by what was asked, the last of each. */
  readonly seen: Map<string, unknown>;
  readonly connections: { http: number };
  stop(): Promise<void>;
}

/** A data plane in small: /score, the Open Inference Protocol's infer and ModelInfer, with a key and a limit. */
export async function startInferenceServer(options: ServerOptions = {}): Promise<InferenceServer> {
  const seen = new Map<string, unknown>();
  const gate = new Gate(options);
  const connections = { http: 0 };
  const http = createServer((request, response) => void answer(request, response, gate, seen));
  http.on('connection', () => (connections.http += 1));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const grpc = new Server();
  grpc.addService(inferenceService(), { modelInfer: inferHandler(gate, seen) });
  const grpcPort = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    grpcTarget: `127.0.0.1:${grpcPort}`,
    seen,
    connections,
    async stop() {
      grpc.forceShutdown();
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

class Gate {
  readonly isRude: boolean;
  private readonly serviceMs: number;
  private readonly inFlightMax: number;
  private inFlight = 0;

  constructor({ serviceMs = 0, inFlightMax = 10_000, isRude = false }: ServerOptions) {
    this.serviceMs = serviceMs;
    this.inFlightMax = inFlightMax;
    this.isRude = isRude;
  }

  /** False: refused. */
  async pass(): Promise<boolean> {
    if (this.inFlight >= this.inFlightMax) return false;
    this.inFlight += 1;
    if (this.serviceMs > 0) await delay(this.serviceMs);
    this.inFlight -= 1;
    return true;
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  gate: Gate,
  seen: Map<string, unknown>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const send = (code: number, body: object, headers: Record<string, string> = {}): void => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
  if (request.headers.authorization !== `Bearer ${testKey}`) return send(401, { error: { reason: 'KEY_WRONG' } });
  if (!(await gate.pass())) {
    return send(429, { error: { reason: 'QUEUE_FULL' } }, gate.isRude ? {} : { 'retry-after': '1' });
  }
  const path = request.url ?? '';
  seen.set(path, { headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown });
  if (path === '/endpoints/iris/score') return send(200, [[0.9, 0.1]]);
  if (path === '/v2/models/iris/infer') return send(200, { model_name: 'iris', outputs: [] });
  return send(404, { error: { reason: 'ENDPOINT_NOT_FOUND' } });
}

function inferenceService() {
  const folder = join(import.meta.dirname, '../../../proto/third_party/inference');
  const loaded = loadPackageDefinition(loadSync('grpc_service.proto', { includeDirs: [folder], longs: Number }));
  const { inference } = loaded as unknown as { inference: { GRPCInferenceService: { service: never } } };
  return inference.GRPCInferenceService.service;
}

function inferHandler(gate: Gate, seen: Map<string, unknown>) {
  return async (call: ServerUnaryCall<unknown, object>, reply: sendUnaryData<object>): Promise<void> => {
    const failed = (code: number, reason: string): void => {
      const metadata = new Metadata();
      metadata.set('mooring-reason', reason);
      if (!gate.isRude) metadata.set('retry-after-ms', '1000');
      reply({ code, details: reason, metadata });
    };
    if (call.metadata.get('authorization')[0] !== `Bearer ${testKey}`)
      return failed(status.UNAUTHENTICATED, 'KEY_WRONG');
    if (!(await gate.pass())) return failed(status.RESOURCE_EXHAUSTED, 'QUEUE_FULL');
    seen.set('ModelInfer', call.request);
    reply(null, { modelName: 'iris', outputs: [{ name: 'label', datatype: 'INT64', shape: [1] }] });
  };
}
