import { pino } from 'pino';
import { createInstanceStreams } from '../adapters/open-instance-stream.ts';
import { createTelemetryObserver } from '../adapters/telemetry-observer.ts';
import { Directory, type DeploymentEntry } from '../domain/directory.ts';
import { MirrorSender } from '../mirror.ts';
import { createRoute } from '../route.ts';
import type { ScoringPort } from '@mooring/scoring-stream';
import type { InstanceRecord } from '@mooring/domain';
import { eventually } from '@mooring/testing';
import { routing } from './fake-instance.ts';

const log = pino({ enabled: false });

export interface RealRouter {
  route: ScoringPort;
  deployment: DeploymentEntry;
  close(): void;
}

/** The router's path over real streams to `records`, without a store; resolves when all are connected. */
export async function realRouter(
  records: readonly InstanceRecord[],
  maxConcurrentRequestsPerInstance: number,
): Promise<RealRouter> {
  const directory = new Directory(createInstanceStreams(log));
  const observer = createTelemetryObserver({
    enabled: false,
    records: () => false,
    span: () => {
      throw new Error('nothing is traced');
    },
    shutdown: async () => {},
  });
  const shared = {
    ejection: { afterFailures: 3, baseMs: 1_000, maxMs: 8_000 },
    now: () => performance.now(),
    onEjected: observer.ejected,
    observer,
  };
  const mirror = new MirrorSender({ ...shared, limits: { queueMax: 1, bytesMax: 1, compareBytesMax: 1 } });
  const record = routing({ names: ['martina'] });
  const martina = record.deployments['martina'];
  if (martina === undefined) throw new Error('no route');
  const deployments = { martina: { ...martina, maxConcurrentRequestsPerInstance } };
  directory.applyRouting('cars', { ...record, deployments }, 1);
  for (const instance of records) directory.applyInstance(`cars.martina.${instance.id}`, instance);
  const deployment = directory.endpoint('cars')?.deployments.get('martina');
  if (deployment === undefined) throw new Error('no deployment');
  await eventually(() => deployment.pool.slots.every((slot) => slot.stream.ready()));
  const route = createRoute({
    ...shared,
    directory,
    mirror,
    random: Math.random,
    retriesMax: 3,
    deploymentBytesMax: 512 * 2 ** 20,
    instanceWaitMs: 1_000,
  });
  return { route, deployment, close: () => directory.close() };
}
