import { serviceAddress, type Environment } from '@mooring/config';

export interface BatchSchedulerConfig {
  address: string;
}

/** Settings: MOORING_DATA, MOORING_BATCH_SCHEDULER_ADDRESS. */
export function readBatchSchedulerConfig(environment: Environment): BatchSchedulerConfig {
  return { address: serviceAddress('batch-scheduler', environment) };
}
