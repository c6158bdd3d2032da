import { natsModule } from '@mooring/messaging';
import { defineModule, type Module } from '@mooring/runtime';
import { telemetryModule } from '@mooring/telemetry';
import { readRouterConfig } from './config.ts';
import { Router } from './service.ts';

/** Chooses deployment and instance of every scoring call; speaks gRPC to callers, scoring streams to instances. */
export const routerModule: Module<Router> = defineModule({
  name: 'router',
  needs: { nats: natsModule, telemetry: telemetryModule },
  create: ({ nats, telemetry }, { environment, log }) =>
    new Router(readRouterConfig(environment), nats.nats, telemetry, log),
});
