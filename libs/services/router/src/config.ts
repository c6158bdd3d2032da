import { join } from 'node:path';
import { z } from 'zod';
import { isLoopback, readConfig, readDataFolder, serviceAddress, type Environment } from '@mooring/config';

/** Settings of the router: MOORING_ROUTER_<KEY>. */
const ownConfig = z
  .object({
    /** Where gRPC callers come in, `host:port`; port 0 picks a free one. */
    grpc: z
      .string()
      .regex(/^.+:\d+$/, 'must be host:port')
      .default('127.0.0.1:8081'),
    /** Sockets that listen at `grpc` and `address` already, by descriptor; whoever opened them keeps them open over restarts. */
    grpcListenFd: z.coerce.number().int().min(3).optional(),
    listenFd: z.coerce.number().int().min(3).optional(),
    /** Other routers of this machine listen on the same port, and the kernel spreads connections over them (Linux). */
    reusePort: z.stringbool().default(false),
    /**
     * How many routers of this machine share the limit of 2 x max_concurrent_requests_per_instance x instances. Each takes
     * an equal part of it, which is right as far as the kernel spreads connections evenly.
     */
    shareOf: z.coerce.number().int().min(1).max(256).default(1),
    /** Allows an address beyond this machine although calls, keys included, travel in clear. */
    insecure: z.stringbool().default(false),
    /** Calls that such a gateway may have open. */
    gatewayCallsMax: z.coerce.number().int().positive().default(8_192),
    /** Tells routers apart in mirror reports; stable over restarts, so that a new process replaces the report of the old. */
    id: z
      .string()
      .regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, dashes and underscores')
      .default('router'),
    /** How often one call may be given to a further instance. */
    retriesMax: z.coerce.number().int().min(0).max(16).default(3),
    /** At a start: how long it waits for connections to instances, and for models that run in this process. */
    warmMs: z.coerce.number().int().min(0).max(60_000).default(2_000),
    /** How long a call waits for an instance that is about to be ready. */
    instanceWaitMs: z.coerce.number().int().min(0).max(60_000).default(1_000),
    /** Failures in a row (lost connections, timeouts) that take an instance out of rotation. */
    ejectAfterFailures: z.coerce.number().int().positive().default(3),
    /** How long the first time; doubles with every further time up to the maximum. */
    ejectBaseMs: z.coerce.number().int().positive().default(1_000),
    ejectMaxMs: z.coerce.number().int().positive().default(60_000),
    /** Mirrored copies that may be open per deployment. */
    mirrorQueueMax: z.coerce.number().int().positive().default(64),
    /** Bytes of requests and answers that the mirrored copies of all deployments may hold. */
    mirrorBytesMax: z.coerce
      .number()
      .int()
      .positive()
      .default(64 * 2 ** 20),
    /** Larger answers are compared byte by byte only: decoding them would hold up live requests. */
    mirrorCompareBytesMax: z.coerce
      .number()
      .int()
      .positive()
      .default(256 * 2 ** 10),
    mirrorFlushMs: z.coerce.number().int().positive().default(1_000),
    /** Runs tiny models in this process as well, where their scorers found them fit for it. */
    inline: z.stringbool().default(true),
    /** Larger requests go to the instance's own process. */
    inlineBodyBytesMax: z.coerce
      .number()
      .int()
      .min(0)
      .default(64 * 2 ** 10),
    /** Models in this process at the same time. */
    inlineModelsMax: z.coerce.number().int().min(0).default(128),
    /** Bytes of requests that one deployment may have in flight. */
    deploymentBytesMax: z.coerce
      .number()
      .int()
      .positive()
      .default(512 * 2 ** 20),
    /** Requests of one gRPC stream that may be open; further ones wait in the caller's send window. */
    streamInFlightMax: z.coerce.number().int().positive().default(64),
    /** How long an answer is given to further requests with the same Idempotency-Key. */
    idempotencyTtlMs: z.coerce.number().int().min(1_000).max(86_400_000).default(600_000),
    /** Larger answers are not kept. What NATS takes as one message (8 MB) is the limit. */
    idempotencyAnswerBytesMax: z.coerce
      .number()
      .int()
      .positive()
      .max(4 * 2 ** 20)
      .default(512 * 2 ** 10),
    /** Answers that this process keeps, by count and bytes; those that were not asked for the longest go first. */
    idempotencyEntriesMax: z.coerce.number().int().positive().default(10_000),
    idempotencyBytesMax: z.coerce
      .number()
      .int()
      .positive()
      .default(64 * 2 ** 20),
    /** Answers that all processes share, in NATS's memory; the oldest go first. The first process that comes decides. */
    idempotencySharedBytesMax: z.coerce
      .number()
      .int()
      .min(2 ** 20)
      .default(128 * 2 ** 20),
    /** A process that has not said for this long that it still runs a request with a key is taken for dead. */
    idempotencyLeaseMs: z.coerce.number().int().min(100).max(60_000).default(5_000),
    /** Requests with a key that may be open. */
    idempotencyOpenMax: z.coerce.number().int().positive().default(4_096),
    /** What the response caches of all deployments may take. */
    responseCacheBytesMax: z.coerce
      .number()
      .int()
      .positive()
      .default(256 * 2 ** 20),
  })
  .refine((c) => c.ejectBaseMs <= c.ejectMaxMs, { message: 'must not exceed ejectMaxMs', path: ['ejectBaseMs'] })
  .refine((c) => c.insecure || isLoopback(c.grpc), {
    message:
      'is reachable from other machines: keys would travel in clear. Use 127.0.0.1, or set MOORING_ROUTER_INSECURE=true',
    path: ['grpc'],
  });

/** What a supervisor tells its processes: MOORING_PROCESS_NAME, MOORING_LAST_EXIT. */
const processConfig = z.object({
  processName: z.string().optional(),
  /** How the process before this one ended, as its supervisor saw it: SIGSEGV, 1. */
  lastExit: z.string().default(''),
});

export type RouterConfig = Readonly<
  z.output<typeof ownConfig> & {
    /** Where a gateway in another process comes in: `unix:/path`, `host:port` or `none`. */
    address: string;
    lastExit: string;
    /** Remembers over a crash which models were in this process. */
    inlineMarkerFile: string;
  }
>;

export function readRouterConfig(environment: Environment): RouterConfig {
  const { processName, lastExit } = readConfig('', processConfig, environment);
  const own = readConfig('ROUTER', ownConfig, environment);
  return {
    ...own,
    address: serviceAddress('router', environment),
    lastExit,
    inlineMarkerFile: join(readDataFolder(environment).run, `inline-${processName ?? own.id}.json`),
  };
}
