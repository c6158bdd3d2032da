import { z } from 'zod';
import { isLoopback, readConfig, readDataFolder, serviceAddress, type Environment } from '@mooring/config';

const whole = (fallback: number, largest: number) => z.coerce.number().int().positive().max(largest).default(fallback);
const mebibyte = 2 ** 20;

/** Settings of management: `MOORING_MANAGEMENT_*`. */
const ownConfig = z
  .object({
    /** Where REST callers come in, `host:port`; port 0 picks a free one. */
    http: z
      .string()
      .regex(/^.+:\d{1,5}$/, 'must be host:port')
      .default('127.0.0.1:8082'),
    /** A socket that listens at `http` already, by its descriptor; whoever opened it keeps it open over restarts. */
    listenFd: z.coerce.number().int().min(3).optional(),
    /** Allows an address beyond this machine although calls, tokens included, travel in clear. */
    insecure: z.stringbool().default(false),
    /** Largest JSON body. */
    bodyBytesMax: whole(4 * mebibyte, 64 * mebibyte),
    /** Largest file, and largest single part of one, that an upload may bring. */
    blobBytesMax: whole(16 * 1024 * mebibyte, 2 ** 50),
    blockBytesMax: whole(256 * mebibyte, 4096 * mebibyte),
    /** How long an upload's address may be written to. */
    uploadTtlMs: whole(3_600_000, 86_400_000),
    /** How long a bearer token that auth has confirmed is believed. */
    tokenCacheMs: whole(5_000, 60_000),
    /** How long processes have to answer when metrics are collected. */
    metricsWaitMs: whole(300, 10_000),
    /** How long Python may take to parse a scoring script. */
    scriptCheckMs: whole(10_000, 60_000),
  })
  .refine((c) => c.insecure || isLoopback(c.http), {
    message:
      'is reachable from other machines: tokens would travel in clear. Use 127.0.0.1, or set MOORING_MANAGEMENT_INSECURE=true',
    path: ['http'],
  });

const gatewayConfig = z.object({
  /** Base of the scoring URIs when callers reach the gateway by another name than it has itself. */
  publicUrl: z.url().optional(),
  http: z.string().default('127.0.0.1:8080'),
});

export type ManagementSettings = Readonly<z.output<typeof ownConfig>>;

export interface ManagementConfig {
  own: ManagementSettings;
  artifacts: string;
  registryAddress: string;
  authAddress: string;
  controllerAddress: string;
  batchSchedulerAddress: string;
  /** MOORING_GATEWAY_PUBLIC_URL: wins over what the gateway says of itself. */
  gatewayPublicUrl: string | undefined;
  /** What counts until the gateway has said where it listens. */
  gatewayFallbackUrl: string;
}

export function readManagementConfig(environment: Environment): ManagementConfig {
  const gateway = readConfig('GATEWAY', gatewayConfig, environment);
  return {
    own: readConfig('MANAGEMENT', ownConfig, environment),
    artifacts: readDataFolder(environment).artifacts,
    registryAddress: serviceAddress('registry', environment),
    authAddress: serviceAddress('auth', environment),
    controllerAddress: serviceAddress('controller', environment),
    batchSchedulerAddress: serviceAddress('batch-scheduler', environment),
    gatewayPublicUrl: gateway.publicUrl?.replace(/\/+$/, ''),
    gatewayFallbackUrl: `http://${gateway.http}`,
  };
}
