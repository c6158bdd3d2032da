import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { telemetryModule } from '@mooring/telemetry';
import { readBatchSchedulerConfig } from './config.ts';
import { createBatchScheduler } from './service.ts';

/** Batch jobs. Serves health and refuses jobs until they are a capability. */
export const batchSchedulerModule: Module<Lifecycle> = defineModule({
  name: 'batch-scheduler',
  needs: { telemetry: telemetryModule },
  create: (_needs, { environment, log }) => createBatchScheduler(readBatchSchedulerConfig(environment), log),
});
