import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import {
  inheritedListener,
  readConfig,
  readDataFolder,
  serviceAddress,
  type DataFolder,
  type Environment,
} from '@mooring/config';

/** A scorer is an app of its own; it is started by its path because nothing may import an app. */
const scorerMain = fileURLToPath(new URL('../../../../apps/scorer/src/main.ts', import.meta.url));

/** Settings of the controller: MOORING_CONTROLLER_<KEY>. */
const ownConfig = z.object({
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

export interface ControllerConfig extends Readonly<z.output<typeof ownConfig>> {
  address: string;
  listenFd?: number | undefined;
  registryAddress: string;
  authAddress: string;
  folder: DataFolder;
}

export function readControllerConfig(environment: Environment): ControllerConfig {
  return {
    ...readConfig('CONTROLLER', ownConfig, environment),
    address: serviceAddress('controller', environment),
    listenFd: inheritedListener('controller', environment),
    registryAddress: serviceAddress('registry', environment),
    authAddress: serviceAddress('auth', environment),
    folder: readDataFolder(environment),
  };
}
