import { createGrpcLaunches } from '@mooring/batch-jobs';
import { natsModule } from '@mooring/messaging';
import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { telemetryModule } from '@mooring/telemetry';
import { createGrpcCatalog } from './adapters/grpc-catalog.ts';
import { readBatchSchedulerConfig } from './config.ts';
import { createJobService } from './job-service.ts';

/** Takes batch jobs from the request to a proven output. */
export const batchSchedulerModule: Module<Lifecycle> = defineModule({
  name: 'batch-scheduler',
  needs: { nats: natsModule, telemetry: telemetryModule },
  // Two would drop what the other has put on the work queue.
  alone: true,
  create: ({ nats: { nats, syncsAlways }, telemetry: { tracing } }, { environment, log }) => {
    const config = readBatchSchedulerConfig(environment);
    const catalog = createGrpcCatalog(config.registryAddress);
    const launches = createGrpcLaunches(config.controllerAddress);
    const service = createJobService({ ...config, syncsAlways, catalog, launches, tracing }, nats, log);
    return {
      ...service,
      stop: async (signal, why) => {
        await service.stop?.(signal, why);
        catalog.close();
        launches.close();
      },
    };
  },
});
