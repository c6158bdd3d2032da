import { z } from 'zod';
import {
  inheritedListener,
  readConfig,
  readDataFolder,
  serviceAddress,
  type DataFolder,
  type Environment,
} from '@mooring/config';

/** Settings of the batch scheduler: MOORING_BATCH_SCHEDULER_<KEY>. */
const ownConfig = z.object({
  /** Jobs that are worked on at once; those after them are queued. */
  activeJobsMax: z.coerce.number().int().min(1).max(64).default(4),
});

export interface BatchSchedulerConfig extends Readonly<z.output<typeof ownConfig>> {
  address: string;
  listenFd?: number | undefined;
  registryAddress: string;
  controllerAddress: string;
  folder: DataFolder;
}

export function readBatchSchedulerConfig(environment: Environment): BatchSchedulerConfig {
  return {
    ...readConfig('BATCH_SCHEDULER', ownConfig, environment),
    address: serviceAddress('batch-scheduler', environment),
    listenFd: inheritedListener('batch-scheduler', environment),
    registryAddress: serviceAddress('registry', environment),
    controllerAddress: serviceAddress('controller', environment),
    folder: readDataFolder(environment),
  };
}
