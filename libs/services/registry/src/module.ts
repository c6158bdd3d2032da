import { natsModule } from '@mooring/messaging';
import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { telemetryModule } from '@mooring/telemetry';
import { readRegistryConfig } from './config.ts';
import { createRegistryService } from './service.ts';

/** Owns endpoints, deployments and versioned assets: checks, stores, keeps their history and their operations. */
export const registryModule: Module<Lifecycle> = defineModule({
  name: 'registry',
  needs: { nats: natsModule, telemetry: telemetryModule },
  create: ({ nats }, { environment, log }) => createRegistryService(readRegistryConfig(environment), nats.nats, log),
});
