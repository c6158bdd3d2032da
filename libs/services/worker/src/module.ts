import { createGrpcLaunches } from '@mooring/batch-jobs';
import { natsModule } from '@mooring/messaging';
import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { telemetryModule } from '@mooring/telemetry';
import { readWorkerConfig } from './config.ts';
import { createWorker } from './service.ts';

/** Scores the mini-batches of jobs, in processes of its own. */
export const workerModule: Module<Lifecycle> = defineModule({
  name: 'worker',
  needs: { nats: natsModule, telemetry: telemetryModule },
  create: ({ nats, telemetry: { tracing } }, { environment, log }) => {
    const config = readWorkerConfig(environment);
    const launches = createGrpcLaunches(config.controllerAddress);
    const worker = createWorker({ ...config, launches, tracing }, nats.nats, log);
    return {
      ...worker,
      stop: async (signal, why) => {
        await worker.stop?.(signal, why);
        launches.close();
      },
    };
  },
});
