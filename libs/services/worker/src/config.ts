import { join } from 'node:path';
import { z } from 'zod';
import { dataFolder, defaultDataFolder, readConfig, type Environment } from '@mooring/config';

const sharedConfig = z.object({ data: z.string().default(defaultDataFolder) });
const ownConfig = z.object({
  /** `unix:/path` or `host:port`; a socket in the run folder by default. */
  address: z.string().optional(),
});

export interface WorkerConfig {
  address: string;
}

/** Settings: MOORING_DATA, MOORING_WORKER_ADDRESS. */
export function readWorkerConfig(environment: Environment): WorkerConfig {
  const { data } = readConfig('', sharedConfig, environment);
  const { address } = readConfig('WORKER', ownConfig, environment);
  return { address: address ?? `unix:${join(dataFolder(data).run, 'worker.sock')}` };
}
