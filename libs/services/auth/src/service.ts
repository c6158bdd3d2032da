import type { Logger } from 'pino';
import { AuthServiceService, type AuthServiceServer } from '@mooring/contracts/auth';
import { credentialsBucket } from '@mooring/credentials';
import type { Nats } from '@mooring/messaging';
import { service, startGrpcServer, unary, type GrpcServer, type MountedService } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import type { AuthConfig } from './config.ts';
import { createAuthenticateManagement } from './handlers/authenticate-management.ts';
import { createDeleteEndpointKeys } from './handlers/delete-endpoint-keys.ts';
import { createEnsureEndpointKeys } from './handlers/ensure-endpoint-keys.ts';
import { createListEndpointKeys } from './handlers/list-endpoint-keys.ts';
import { createOpen } from './handlers/open.ts';
import { createRegenerateEndpointKey } from './handlers/regenerate-endpoint-key.ts';
import { createSeal } from './handlers/seal.ts';
import type { CredentialStore } from './ports.ts';
import { checkMasterKey } from './seal-check.ts';
import { loadAdminCheck, type AdminCheck } from './secrets/admin-token.ts';
import { loadMasterKey } from './secrets/master-key.ts';
import { createSealer, type Sealer } from './secrets/sealer.ts';

/** Loads (or makes) the secrets, checks the master key against what is stored, then serves. */
export function createAuthService(config: AuthConfig, nats: Nats, log: Logger): Lifecycle {
  let server: GrpcServer | undefined;
  return {
    start: async () => {
      const sealer = createSealer(loadMasterKey({ ...config, ownFile: config.ownMasterKeyFile }));
      const isAdmin = loadAdminCheck(config.adminTokenFile);
      await checkMasterKey(await nats.bucket(credentialsBucket), sealer);
      const store: CredentialStore = await nats.bucket(credentialsBucket);
      const services = [mount({ store, sealer, isAdmin }, log)];
      const { address, listenFd } = config;
      server = await startGrpcServer({ address, listenFd, services, log, ready: () => true });
      log.info({ address: server.address }, 'auth listens');
    },
    ready: () => server !== undefined,
    stop: async (signal) => server?.stop(signal),
  };
}

interface Deps {
  store: CredentialStore;
  sealer: Sealer;
  isAdmin: AdminCheck;
}

function mount(deps: Deps, log: Logger): MountedService {
  return service<AuthServiceServer>(AuthServiceService, {
    ensureEndpointKeys: unary(log, createEnsureEndpointKeys(deps)),
    listEndpointKeys: unary(log, createListEndpointKeys(deps)),
    regenerateEndpointKey: unary(log, createRegenerateEndpointKey(deps)),
    deleteEndpointKeys: unary(log, createDeleteEndpointKeys(deps)),
    authenticateManagement: unary(log, createAuthenticateManagement(deps.isAdmin)),
    seal: unary(log, createSeal(deps.sealer)),
    open: unary(log, createOpen(deps.sealer)),
  });
}
