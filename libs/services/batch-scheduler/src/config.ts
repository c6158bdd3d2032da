import { join } from 'node:path';
import { z } from 'zod';
import { dataFolder, defaultDataFolder, readConfig, type Environment } from '@mooring/config';

const sharedConfig = z.object({ data: z.string().default(defaultDataFolder) });
const ownConfig = z.object({
  /** `unix:/path` or `host:port`; a socket in the run folder by default. */
  address: z.string().optional(),
});

export interface BatchSchedulerConfig {
  address: string;
}

/** Settings: MOORING_DATA, MOORING_BATCH_SCHEDULER_ADDRESS. */
export function readBatchSchedulerConfig(environment: Environment): BatchSchedulerConfig {
  const { data } = readConfig('', sharedConfig, environment);
  const { address } = readConfig('BATCH_SCHEDULER', ownConfig, environment);
  return { address: address ?? `unix:${join(dataFolder(data).run, 'batch-scheduler.sock')}` };
}
