import { inheritedListener, serviceAddress, type Environment } from '@mooring/config';

export interface BatchSchedulerConfig {
  address: string;
  listenFd?: number | undefined;
}

/** Settings: MOORING_DATA, MOORING_BATCH_SCHEDULER_ADDRESS. */
export function readBatchSchedulerConfig(environment: Environment): BatchSchedulerConfig {
  return {
    address: serviceAddress('batch-scheduler', environment),
    listenFd: inheritedListener('batch-scheduler', environment),
  };
}
