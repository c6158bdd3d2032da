import { natsModule } from '@mooring/messaging';
import { defineModule, type Lifecycle, type Module } from '@mooring/runtime';
import { telemetryModule } from '@mooring/telemetry';
import { readAuthConfig } from './config.ts';
import { createAuthService } from './service.ts';

/** Makes and keeps credentials: endpoint keys, the admin token, the sealing of secrets. */
export const authModule: Module<Lifecycle> = defineModule({
  name: 'auth',
  needs: { nats: natsModule, telemetry: telemetryModule },
  create: ({ nats }, { environment, log }) => createAuthService(readAuthConfig(environment), nats.nats, log),
});
