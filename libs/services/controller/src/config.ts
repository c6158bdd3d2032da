import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { dataFolder, defaultDataFolder, readConfig, type DataFolder, type Environment } from '@mooring/config';

const sharedConfig = z.object({ data: z.string().default(defaultDataFolder) });

/** A scorer is an app of its own; it is started by its path because nothing may import an app. */
const scorerMain = fileURLToPath(new URL('../../../../apps/scorer/src/main.ts', import.meta.url));

/** Settings of the controller: MOORING_CONTROLLER_<KEY>. */
const ownConfig = z.object({
  /** `unix:/path` or `host:port`; sockets in the run folder by default. */
  address: z.string().optional(),
  registryAddress: z.string().optional(),
  authAddress: z.string().optional(),
  /** What Node runs as an instance. */
  scorerMain: z.string().default(scorerMain),
  /** Routers get this long to see that an instance leaves before it is told to stop. */
  noticeMs: z.coerce.number().int().min(0).max(60_000).default(1_000),
  /** An instance that no controller probes and no router calls for this long ends itself. */
  orphanTimeoutMs: z.coerce.number().int().min(1_000).default(60_000),
  /** Size of one log file of an instance; twice that is kept. */
  logBytesMax: z.coerce
    .number()
    .int()
    .min(64 * 1024)
    .default(8 * 2 ** 20),
  /** When the platform stops: how long all instances together may take to finish what is open. */
  stopMs: z.coerce.number().int().min(0).default(15_000),
  /** Every resource is looked at this often even if nothing is known to have changed. */
  resyncMs: z.coerce.number().int().min(100).default(30_000),
});

export interface ControllerConfig {
  address: string;
  registryAddress: string;
  authAddress: string;
  scorerMain: string;
  noticeMs: number;
  orphanTimeoutMs: number;
  logBytesMax: number;
  stopMs: number;
  resyncMs: number;
  folder: DataFolder;
}

export function readControllerConfig(environment: Environment): ControllerConfig {
  const folder = dataFolder(readConfig('', sharedConfig, environment).data);
  const own = readConfig('CONTROLLER', ownConfig, environment);
  const socket = (name: string): string => `unix:${join(folder.run, `${name}.sock`)}`;
  return {
    ...own,
    address: own.address ?? socket('controller'),
    registryAddress: own.registryAddress ?? socket('registry'),
    authAddress: own.authAddress ?? socket('auth'),
    folder,
  };
}
