import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { telemetryModule } from '@mooring/telemetry';
import { readWorkerConfig } from './config.ts';
import { createWorker } from './service.ts';

/** Scores mini-batches. Serves health and takes no work until batch jobs are a capability. */
export const workerModule: Module<Lifecycle> = defineModule({
  name: 'worker',
  needs: { telemetry: telemetryModule },
  create: (_needs, { environment, log }) => createWorker(readWorkerConfig(environment), log),
});
