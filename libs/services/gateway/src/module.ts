import { randomUUID } from 'node:crypto';
import { readConfig, serviceAddress } from '@mooring/config';
import { watchCredentials } from '@mooring/credentials';
import type { MemberRecord } from '@mooring/domain';
import { natsModule } from '@mooring/messaging';
import { defineModule, type Module } from '@mooring/runtime';
import { telemetryModule } from '@mooring/telemetry';
import { openAccessLog } from './access-log.ts';
import { createGrpcJobs } from './adapters/grpc-jobs.ts';
import { createKeyGate } from './adapters/key-gate.ts';
import { watchBatchEndpoints, watchEndpoints } from './adapters/nats-directory.ts';
import { remoteRouterModule } from './adapters/router-edge.ts';
import { gatewayConfig } from './config.ts';
import { Gateway } from './gateway.ts';
import type { ScoringEdge } from './ports.ts';

/**
 * The gateway with its way to the router. An app that runs the router in the same process passes a module that hands
 * over the router's own port; `gatewayModule` dials.
 */
export function createGatewayModule({ scoring }: { scoring: Module<ScoringEdge> }): Module<Gateway> {
  return defineModule({
    name: 'gateway',
    needs: { nats: natsModule, telemetry: telemetryModule, edge: scoring },
    create: async ({ nats: { nats }, telemetry, edge }, { environment, log, relay }) => {
      const config = readConfig('GATEWAY', gatewayConfig, environment);
      const credentials = await watchCredentials(nats);
      const directory = await watchEndpoints(nats, log);
      const batchEndpoints = await watchBatchEndpoints(nats, log);
      const batchJobs = createGrpcJobs(serviceAddress('batch-scheduler', environment));
      return new Gateway({
        config,
        log,
        relay,
        edge,
        directory,
        batchEndpoints,
        batchJobs,
        gate: createKeyGate(credentials),
        tracing: telemetry.tracing,
        requests: telemetry.requests,
        accessLog: openAccessLog(config.accessLog, log),
        announce: async (url) => {
          const member: MemberRecord = {
            service: 'gateway',
            id: randomUUID(),
            url,
            startedAt: new Date().toISOString(),
          };
          await (await nats.bucket<MemberRecord>('mooring_members')).put('gateway', member);
        },
        release: () => {
          credentials.stop();
          directory.stop();
          batchEndpoints.stop();
          batchJobs.close();
        },
      });
    },
  });
}

/** The gateway on its own: the router is another process. */
export const gatewayModule: Module<Gateway> = createGatewayModule({ scoring: remoteRouterModule });
