import { availableParallelism } from 'node:os';
import { z } from 'zod';
import {
  inheritedListener,
  readConfig,
  readDataFolder,
  serviceAddress,
  type DataFolder,
  type Environment,
} from '@mooring/config';

/** Settings of the worker: MOORING_WORKER_<KEY>. */
const ownConfig = z.object({
  /** Processes that score mini-batches at once, of all jobs together. */
  processesMax: z.coerce.number().int().min(1).max(1024).default(availableParallelism()),
  /** Begins fewer mini-batches while online requests are answered. */
  giveWay: z.stringbool().default(true),
  /** How long this worker may say nothing of a mini-batch before another one gets it. */
  ackWaitMs: z.coerce.number().int().min(1_000).max(600_000).default(20_000),
});

export interface WorkerConfig extends Readonly<z.output<typeof ownConfig>> {
  address: string;
  listenFd?: number | undefined;
  controllerAddress: string;
  folder: DataFolder;
}

export function readWorkerConfig(environment: Environment): WorkerConfig {
  return {
    ...readConfig('WORKER', ownConfig, environment),
    address: serviceAddress('worker', environment),
    listenFd: inheritedListener('worker', environment),
    controllerAddress: serviceAddress('controller', environment),
    folder: readDataFolder(environment),
  };
}
