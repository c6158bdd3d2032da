import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { dirname } from 'node:path';
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { healthService } from './health.ts';
import { addReflection } from './reflection.ts';

/** Largest message either way: a body at the size cap plus its envelope. */
export const maxMessageBytes = 130 * 2 ** 20;

export interface MountedService {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

/** Pairs a generated definition with its handlers; the type parameter checks that every call is there. */
export function service<I extends UntypedServiceImplementation>(
  definition: ServiceDefinition,
  implementation: I,
): MountedService {
  return { definition, implementation };
}

export interface GrpcServerOptions {
  /** `unix:/path` or `host:port`; port 0 picks a free one. */
  address: string;
  /** A socket that listens at `address` already, by its descriptor; the server opens its own when absent. */
  listenFd?: number | undefined;
  services: readonly MountedService[];
  log: Logger;
  /** What health says for the whole server. */
  ready: () => boolean;
  /** Further names that health knows, e.g. `liveness`. */
  healthChecks?: Readonly<Record<string, () => boolean>>;
  /** Called for each health check, e.g. to know that somebody still watches. */
  onHealthCheck?: () => void;
}

export interface GrpcServer {
  /** As bound: `unix:/path` or `host:port`. */
  address: string;
  /** Refuses new calls, waits for open ones; `signal` ends them. */
  stop(signal: AbortSignal): Promise<void>;
}

/** Starts a server with the given services, gRPC health and reflection. Unix sockets are made private (0600). */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const server = new Server({
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.keepalive_permit_without_calls': 1,
  });
  for (const { definition, implementation } of options.services) server.addService(definition, implementation);
  const health = healthService(options.ready, options.healthChecks ?? {}, options.onHealthCheck);
  server.addService(health.definition, health.implementation);
  addReflection(server, [...options.services.map((s) => s.definition), health.definition]);
  const { listenFd } = options;
  const listening = await (listenFd === undefined ? bind(server, options.address) : listenOn(server, listenFd));
  const { port } = listening;
  const address = port === undefined ? options.address : options.address.replace(/:\d+$/, `:${port}`);
  options.log.debug({ address }, 'grpc server listens');
  return {
    address,
    stop: async (signal) => {
      health.drain();
      // First of all: who connects now is for the process that takes over.
      listening.close();
      await stopServer(server, signal);
    },
  };
}

/** Among the options Node looks at it for ports alone. */
const backlogMax = 1_024;

interface Listening {
  /** Undefined for unix sockets. */
  port: number | undefined;
  close(): void;
}

async function bind(server: Server, address: string): Promise<Listening> {
  const socketPath = await prepareSocketPath(address);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  if (socketPath === undefined) return { port, close: () => undefined };
  chmodSync(socketPath, 0o600);
  return { port: undefined, close: () => undefined };
}

/** grpc-js cannot listen on a socket that is there already; it takes connections one by one. */
async function listenOn(server: Server, fd: number): Promise<Listening> {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = createServer({ noDelay: true }, (socket) => injector.injectConnection(socket));
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ fd }, backlogMax, () => {
      listener.off('error', reject);
      resolve();
    });
  });
  const bound = listener.address();
  return {
    port: bound !== null && typeof bound === 'object' ? bound.port : undefined,
    close: () => void listener.close(),
  };
}

/** The path of a `unix:` address, free to be bound; undefined for other addresses. */
export async function prepareSocketPath(address: string): Promise<string | undefined> {
  if (!address.startsWith('unix:')) return undefined;
  const socketPath = address.slice('unix:'.length);
  // A service that runs alone has no supervisor to make the run folder for it.
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
  await removeStaleSocket(socketPath);
  return socketPath;
}

/** A socket file that nobody listens on is left over from a crash; one that answers belongs to a living process. */
async function removeStaleSocket(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const socket = createConnection(path);
  const alive = await new Promise<boolean>((resolve) => {
    socket.setTimeout(1_000, () => resolve(true));
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  if (alive) throw new Error(`another process already listens on ${path}`);
  rmSync(path, { force: true });
}

/** tryShutdown waits for open calls without limit, so it gets a deadline. */
async function stopServer(server: Server, signal: AbortSignal): Promise<void> {
  const force = (): void => server.forceShutdown();
  signal.addEventListener('abort', force, { once: true });
  if (signal.aborted) force();
  await new Promise<void>((done) => server.tryShutdown(() => done()));
  signal.removeEventListener('abort', force);
}
