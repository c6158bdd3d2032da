import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { RegistryServiceService, type RegistryServiceServer } from '@mooring/contracts/registry';
import { resourceHistory, resourcesBucket } from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import { service, startGrpcServer, unary, type GrpcServer, type MountedService } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import { createAuthVault } from './adapters/auth-vault.ts';
import type { RegistryConfig } from './config.ts';
import { createDeleteResource } from './handlers/delete-resource.ts';
import { createFinalizeDelete } from './handlers/finalize-delete.ts';
import { createGetOperation } from './handlers/get-operation.ts';
import { createGetResource } from './handlers/get-resource.ts';
import { createListResources } from './handlers/list-resources.ts';
import { createListRevisions } from './handlers/list-revisions.ts';
import { createPutResource } from './handlers/put-resource.ts';
import { createReportOperation } from './handlers/report-operation.ts';
import type { ProgressStore, RegistryDeps, ResourceStore } from './ports.ts';
import { createResources } from './resources.ts';
import { createSpecChecks } from './spec-checks.ts';
import { createWriteTurn } from './write-turn.ts';

const progressBucket = 'mooring_progress';

export function createRegistryService(config: RegistryConfig, nats: Nats, log: Logger): Lifecycle {
  const vault = createAuthVault(config.authAddress);
  let server: GrpcServer | undefined;
  return {
    start: async () => {
      const store: ResourceStore = await nats.bucket(resourcesBucket, { history: resourceHistory });
      const progress: ProgressStore = await nats.bucket(progressBucket);
      const resources = createResources(store, progress, vault);
      const deps: RegistryDeps = {
        resources,
        checks: createSpecChecks(resources),
        vault,
        turn: createWriteTurn(),
        clock: { now: () => new Date(), uuid: randomUUID },
      };
      server = await startGrpcServer({
        address: config.address,
        listenFd: config.listenFd,
        services: [mount(deps, log)],
        log,
        ready: () => true,
      });
      log.info({ address: server.address }, 'registry listens');
    },
    ready: () => server !== undefined,
    stop: async (signal) => {
      await server?.stop(signal);
      vault.close();
    },
  };
}

function mount(deps: RegistryDeps, log: Logger): MountedService {
  return service<RegistryServiceServer>(RegistryServiceService, {
    putResource: unary(log, createPutResource(deps)),
    getResource: unary(log, createGetResource(deps)),
    listResources: unary(log, createListResources(deps)),
    deleteResource: unary(log, createDeleteResource(deps)),
    getOperation: unary(log, createGetOperation(deps)),
    listRevisions: unary(log, createListRevisions(deps)),
    reportOperation: unary(log, createReportOperation(deps)),
    finalizeDelete: unary(log, createFinalizeDelete(deps)),
  });
}
