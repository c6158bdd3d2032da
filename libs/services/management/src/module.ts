import { natsModule } from '@mooring/messaging';
import { defineModule, type Module } from '@mooring/runtime';
import { createFolderStore } from '@mooring/storage';
import { telemetryModule } from '@mooring/telemetry';
import { createGrpcAuth } from './adapters/grpc-auth.ts';
import { createGrpcController } from './adapters/grpc-controller.ts';
import { createGrpcJobs } from './adapters/grpc-jobs.ts';
import { createGrpcRegistry } from './adapters/grpc-registry.ts';
import { openNatsAudit } from './adapters/nats-audit.ts';
import { openNatsState } from './adapters/nats-state.ts';
import { createPythonScriptCheck } from './adapters/python-script-check.ts';
import { readManagementConfig } from './config.ts';
import { Management } from './management.ts';

/** Management's REST on one address, over the registry, auth, the controller, the batch-scheduler, NATS and the artifact store. */
export const managementModule: Module<Management> = defineModule({
  name: 'management',
  needs: { nats: natsModule, telemetry: telemetryModule },
  create: async ({ nats: { nats } }, { environment, log }) => {
    const config = readManagementConfig(environment);
    const registry = createGrpcRegistry(config.registryAddress);
    const auth = createGrpcAuth(config.authAddress);
    const controller = createGrpcController(config.controllerAddress);
    const jobs = createGrpcJobs(config.batchSchedulerAddress);
    const audit = await openNatsAudit(nats, log);
    const state = await openNatsState(nats, {
      gatewayPublicUrl: config.gatewayPublicUrl,
      gatewayFallbackUrl: config.gatewayFallbackUrl,
      metricsWaitMs: config.own.metricsWaitMs,
      process: `management-${process.pid}`,
    });
    const store = createFolderStore(config.artifacts);
    const checkScript = createPythonScriptCheck({ environment, deadlineMs: config.own.scriptCheckMs });
    return new Management({
      settings: config.own,
      ports: { registry, auth, controller, jobs, audit, state, store, checkScript },
      log,
      release: () => {
        for (const client of [registry, auth, controller, jobs]) client.close();
        audit.stop();
        state.stop();
      },
    });
  },
});
