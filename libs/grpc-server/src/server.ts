import { chmodSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  addReflection,
  healthService,
  maxMessageBytes,
  prepareSocketPath,
  type GrpcServer as RpcServer,
  type GrpcServerOptions as RpcServerOptions,
  type MountedService,
} from '@mooring/rpc';
import { Inflations } from '@mooring/overload';
import { ByteBudget } from './grpc/byte-budget.ts';
import type { CallSettings } from './grpc/call.ts';
import { shortQuestions, type GuardedService } from './grpc/inflation-guard.ts';
import { methodsOf, type Method } from './grpc/method.ts';
import { serveCall } from './grpc/serve-call.ts';
import { Connection, type ConnectionOptions } from './http2/connection.ts';
import { defaultConnectionLimits, type ConnectionLimits } from './http2/limits.ts';

/** What callers may ask of the server; everything has a default that suits a public edge. */
export interface ServerLimits extends ConnectionLimits {
  connectionsMax: number;
  /** Open calls over all connections; more are refused in a way that lets clients try them again. */
  callsMax: number;
  receiveMaxBytes: number;
  sendMaxBytes: number;
  /** Over all connections: bytes of messages that are not complete, or that no handler has read yet, or that came compressed and are not done with. */
  heldMaxBytes: number;
}

export interface GrpcServerOptions extends RpcServerOptions {
  services: readonly GuardedService[];
  limits?: Partial<ServerLimits>;
  /** Several processes share one port, and the kernel spreads connections over them (Linux). */
  reusePort?: boolean;
}

export interface GrpcServer extends RpcServer {
  connections(): number;
  /** What is held now of `heldMaxBytes`. */
  heldBytes(): number;
}

const defaultLimits: ServerLimits = {
  ...defaultConnectionLimits,
  connectionsMax: 10_000,
  callsMax: 50_000,
  receiveMaxBytes: maxMessageBytes,
  sendMaxBytes: maxMessageBytes,
  heldMaxBytes: 1024 * 1024 * 1024,
};

const tickMs = 500;
/** Connections that wait to be accepted; Linux allows so many. */
const backlogMax = 4_096;

/** Serves the given services, gRPC health and reflection; the face of `startGrpcServer` of @mooring/rpc. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const limits = { ...defaultLimits, ...options.limits };
  const health = healthService(options.ready, options.healthChecks ?? {}, options.onHealthCheck);
  const own = [health, ...reflectionOf([...options.services, health])];
  const methods = methodsOf([
    ...options.services,
    ...own.map((service) => ({ ...service, guardInflation: shortQuestions })),
  ]);
  const connections = new Set<Connection>();
  const budget = new ByteBudget(limits.heldMaxBytes);
  const accept = acceptor(options, limits, methods, connections, budget);
  const server = createServer({ noDelay: true }, accept);
  // What fails here is one connection that could not be taken, for want of descriptors say.
  server.on('error', (err) => options.log.warn({ err }, 'grpc connection not taken'));
  await listen(server, options);
  const address = boundAddress(server, options.address);
  const ticker = setInterval(() => {
    const nowMs = performance.now();
    for (const connection of connections) connection.tick(nowMs);
  }, tickMs);
  ticker.unref();
  options.log.debug({ address }, 'grpc server listens');
  return {
    address,
    connections: () => connections.size,
    heldBytes: () => budget.used,
    stop: async (signal) => {
      health.drain();
      await stop(server, connections, signal);
      clearInterval(ticker);
    },
  };
}

function acceptor(
  { log }: GrpcServerOptions,
  limits: ServerLimits,
  methods: ReadonlyMap<string, Method>,
  connections: Set<Connection>,
  budget: ByteBudget,
): (socket: Socket) => void {
  const settings: CallSettings = {
    log,
    receiveMaxBytes: limits.receiveMaxBytes,
    sendMaxBytes: limits.sendMaxBytes,
    budget,
    inflations: new Inflations(),
  };
  const connectionOptions: ConnectionOptions = {
    limits,
    calls: { count: 0, max: limits.callsMax },
    onRequest: (stream, head, tooLarge) => serveCall(stream, head, tooLarge, methods, settings),
    onClosed: (connection) => connections.delete(connection),
    onFault: (connection, fault) =>
      log.debug({ peer: connection.peer, code: fault.code, fault: fault.message }, 'grpc connection ended'),
  };
  return (socket) => {
    if (connections.size < limits.connectionsMax) connections.add(new Connection(socket, connectionOptions));
    else socket.destroy();
  };
}

function reflectionOf(services: readonly MountedService[]): MountedService[] {
  const added: MountedService[] = [];
  const collector = {
    addService: (definition: MountedService['definition'], implementation: MountedService['implementation']): void => {
      added.push({ definition, implementation });
    },
  };
  addReflection(
    collector,
    services.map(({ definition }) => definition),
  );
  return added;
}

async function listen(server: Server, { address, listenFd, reusePort = false }: GrpcServerOptions): Promise<void> {
  const socketPath = listenFd === undefined ? await prepareSocketPath(address) : undefined;
  const own = (): object => (socketPath === undefined ? { ...hostAndPort(address), reusePort } : { path: socketPath });
  const at = listenFd === undefined ? own() : { fd: listenFd };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // As an argument: among the options Node looks at it for ports alone.
    server.listen(at, backlogMax, () => {
      server.off('error', reject);
      resolve();
    });
  });
  if (socketPath !== undefined) chmodSync(socketPath, 0o600);
}

function hostAndPort(address: string): { host: string; port: number } {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  if (host === undefined || port === undefined)
    throw new Error(`${address} is no address: write host:port or unix:/path`);
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function boundAddress(server: Server, address: string): string {
  if (address.startsWith('unix:')) return address;
  return address.replace(/:\d+$/, `:${(server.address() as AddressInfo).port}`);
}

/** Takes no new connection, tells the open ones to go, and breaks what is left when `signal` aborts. */
async function stop(server: Server, connections: ReadonlySet<Connection>, signal: AbortSignal): Promise<void> {
  const force = (): void => {
    for (const connection of connections) connection.destroy();
  };
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const connection of connections) connection.drain();
  signal.addEventListener('abort', force, { once: true });
  if (signal.aborted) force();
  await closed;
  signal.removeEventListener('abort', force);
}
