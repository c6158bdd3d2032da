import { natsModule } from '@mooring/messaging';
import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { telemetryModule } from '@mooring/telemetry';
import { readControllerConfig } from './config.ts';
import { createControllerService } from './service.ts';

/** Makes what the registry says so: environments, instances, routing records, keys. */
export const controllerModule: Module<Lifecycle> = defineModule({
  name: 'controller',
  needs: { nats: natsModule, telemetry: telemetryModule },
  // Two would start, and stop, each other's instances.
  alone: true,
  create: ({ nats }, { environment, log }) =>
    createControllerService(readControllerConfig(environment), nats.nats, environment, log),
});
