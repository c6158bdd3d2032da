import { isLoopback } from '@mooring/config';
import { z } from 'zod';

const whole = (fallback: number, largest: number) => z.coerce.number().int().positive().max(largest).default(fallback);
const mebibyte = 2 ** 20;

/** Settings of the gateway: `MOORING_GATEWAY_*`. */
export const gatewayConfig = z
  .object({
    /** Where REST callers come in, `host:port`; port 0 picks a free one. */
    http: z
      .string()
      .regex(/^.+:\d{1,5}$/, 'must be host:port')
      .default('127.0.0.1:8080'),
    /**
     * A socket that listens at `http` already, by its descriptor, or by several of the one socket: `4,5`. Whoever opened it
     * keeps it open over restarts.
     */
    listenFd: z
      .string()
      .regex(/^\d{1,4}(,\d{1,4})*$/, 'must be descriptors, with commas')
      .transform((text) => text.split(',').map(Number))
      .optional(),
    /** Other gateways of this machine listen on the same port, and the kernel spreads connections over them (Linux). */
    reusePort: z.stringbool().default(false),
    /** Allows an address beyond this machine although calls, keys included, travel in clear. */
    insecure: z.stringbool().default(false),
    /** With `example.org`, `cars.example.org/score` is endpoint cars. None when absent. */
    domain: z
      .string()
      .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i, 'must be a host name')
      .optional(),
    /** Address of the router's scoring stream when the router is another process; that of MOORING_ROUTER_ADDRESS or its socket in the run folder when absent. */
    router: z.string().optional(),
    /** Access lines: a file's path, `stdout` or `off`. */
    accessLog: z.string().min(1).default('stdout'),
    /** Largest request body, before and after decompression. Deployments set smaller limits of their own. */
    bodyBytesMax: whole(128 * mebibyte, 128 * mebibyte),
    /** Bytes of request bodies that may be in memory at once; beyond it callers get 503. */
    bodyMemoryBytesMax: whole(1024 * mebibyte, 2 ** 40),
    /** Time for the request line and headers. */
    headersTimeoutMs: whole(10_000, 600_000),
    /** Longest silence while a body arrives. */
    bodyIdleTimeoutMs: whole(10_000, 600_000),
    /** Longest time that a whole body may take. */
    bodyTimeoutMs: whole(120_000, 3_600_000),
    keepAliveTimeoutMs: whole(65_000, 3_600_000),
    connectionsMax: whole(10_000, 1_000_000),
    /** How long readiness says no before the port closes, so that load balancers notice. */
    drainNoticeMs: z.coerce.number().int().min(0).max(600_000).default(0),
  })
  .refine((c) => c.insecure || isLoopback(c.http), {
    message:
      'is reachable from other machines: keys would travel in clear. Use 127.0.0.1, or set MOORING_GATEWAY_INSECURE=true',
    path: ['http'],
  })
  .refine((c) => c.bodyBytesMax <= c.bodyMemoryBytesMax, {
    message: 'must not exceed MOORING_GATEWAY_BODY_MEMORY_BYTES_MAX',
    path: ['bodyBytesMax'],
  });

export type GatewayConfig = Readonly<z.output<typeof gatewayConfig>>;
