import { createHash } from 'node:crypto';
import { join, relative, sep } from 'node:path';
import type { Logger } from 'pino';
import type { Environment } from '@mooring/config';
import { ControllerServiceService, type ControllerServiceServer } from '@mooring/contracts/controller';
import {
  batchEndpointsBucket,
  instancesBucket,
  namesOfKvKey,
  resourceHistory,
  resourcesBucket,
  routingBucket,
  type BatchEndpointRecord,
  type InstanceRecord,
  type RoutingRecord,
} from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import { createEnvironments } from '@mooring/python-runtime';
import { service, startGrpcServer, unary, type GrpcServer } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import { openGroupTree } from './adapters/cgroups.ts';
import { createFolderArtifacts } from './adapters/folder-artifacts.ts';
import { createGrpcAuth } from './adapters/grpc-auth.ts';
import { createGrpcRegistry } from './adapters/grpc-registry.ts';
import { createLocalCompute } from './adapters/local-compute.ts';
import { machineLimits } from './adapters/machine-limits.ts';
import { appliedBucket, createAppliedStore, type AppliedRecord } from './adapters/nats-applied.ts';
import { openInlineBans } from './adapters/nats-inline-bans.ts';
import { openNatsEvents } from './adapters/nats-events.ts';
import { openEndpointRecords } from './adapters/nats-endpoint-records.ts';
import { createPreparationLogs } from './adapters/preparation-logs.ts';
import type { ControllerConfig } from './config.ts';
import { createGetLogs } from './handlers/get-logs.ts';
import { createListInstances } from './handlers/list-instances.ts';
import { createPrepareBatch } from './handlers/prepare-batch.ts';
import type { ComputeTarget, PreparationLog } from './ports.ts';
import { ControlLoop } from './reconcile/control-loop.ts';
import { createJobInterpreters } from './reconcile/job-interpreters.ts';
import { prepareBatchDeployment } from './reconcile/prepare-batch-deployment.ts';
import { prepareBatch, prepareCommand } from './reconcile/prepare-batch.ts';
import { prepareLaunch } from './reconcile/prepare-launch.ts';

/** Takes running instances over, then keeps everything as it should be until it is stopped. */
export function createControllerService(
  config: ControllerConfig,
  nats: Nats,
  environment: Environment,
  log: Logger,
): Lifecycle {
  const registry = createGrpcRegistry(config.registryAddress);
  const auth = createGrpcAuth(config.authAddress);
  const preparationLog = createPreparationLogs(join(config.folder.instances, '.preparation'));
  let running: { loop: ControlLoop; server: GrpcServer } | undefined;
  return {
    start: async () => {
      const compute = openCompute(config, environment, log);
      const parts = { config, nats, environment, log, registry, auth, compute, preparationLog };
      const preparing = { ...openPreparing(parts), ofJobs: createJobInterpreters(() => Date.now()) };
      const loop = await startLoop(parts, preparing);
      const server = await serve(parts, preparing, loop);
      running = { loop, server };
      log.info({ address: server.address }, 'controller listens');
    },
    ready: () => running !== undefined,
    stop: async (signal, why) => {
      await running?.server.stop(signal);
      await running?.loop.stop(AbortSignal.any([signal, AbortSignal.timeout(config.stopMs)]), why);
      running = undefined;
      registry.close();
      auth.close();
    },
  };
}

interface Parts {
  config: ControllerConfig;
  nats: Nats;
  environment: Environment;
  log: Logger;
  registry: ReturnType<typeof createGrpcRegistry>;
  auth: ReturnType<typeof createGrpcAuth>;
  compute: ComputeTarget;
  preparationLog: PreparationLog;
}

type Preparing = ReturnType<typeof openPreparing> & { ofJobs: ReturnType<typeof createJobInterpreters> };

async function startLoop(parts: Parts, { ofJobs, ...preparing }: Preparing): Promise<ControlLoop> {
  const { config, nats, log, registry, auth, compute, preparationLog } = parts;
  const appliedRecords = await nats.bucket<AppliedRecord>(appliedBucket);
  const routing = await openEndpointRecords(await nats.bucket<RoutingRecord>(routingBucket));
  const batchEndpoints = await openEndpointRecords(await nats.bucket<BatchEndpointRecord>(batchEndpointsBucket));
  const { environments } = preparing;
  const bans = await openInlineBans(nats, log);
  const loop = new ControlLoop({
    registry,
    auth,
    applied: createAppliedStore(appliedRecords, auth),
    routing: routing.store,
    compute,
    events: await openNatsEvents(nats, log),
    bans,
    preparationLog,
    prepare: (spec, context) => prepareLaunch(preparing, spec, context),
    prepareBatch: (spec, context) => prepareBatchDeployment(preparing, spec, context),
    batchEndpoints: batchEndpoints.store,
    interpretersOfJobs: ofJobs.recent,
    pruneEnvironments: (interpreters) => environments.prune(interpreters.map((one) => environmentOf(config, one))),
    instances: await nats.bucket<InstanceRecord>(instancesBucket),
    resources: await nats.bucket(resourcesBucket, { history: resourceHistory }),
    log,
    noticeMs: config.noticeMs,
    resyncMs: config.resyncMs,
  });
  bans.onChange(() => loop.wakeDeployments());
  const deployments = [...(await appliedRecords.list()).keys()].map((key) => namesOfKvKey(key).join('/'));
  try {
    await loop.start({ endpoints: routing.endpoints, deployments, batchEndpoints: batchEndpoints.endpoints });
  } catch (error) {
    // Instances go on without us; whoever starts us again takes them over.
    await loop.stop(AbortSignal.timeout(1_000), 'abandoned');
    throw error;
  }
  return loop;
}

function openPreparing({ config, environment, log, registry }: Parts) {
  const artifacts = createFolderArtifacts(config.folder.artifacts);
  const environments = createEnvironments({
    folder: config.folder.environments,
    log,
    localPath: (path) => artifacts.localPath(path),
    environment,
  });
  return { registry, artifacts, environments, machine: machineLimits(), orphanTimeoutMs: config.orphanTimeoutMs };
}

/** The digest of an environment is the name of its folder. */
function environmentOf({ folder }: ControllerConfig, interpreter: string): string {
  return relative(folder.environments, interpreter).split(sep)[0] ?? '';
}

function openCompute(config: ControllerConfig, environment: Environment, log: Logger): ComputeTarget {
  const { root, instances, run } = config.folder;
  // One folder of control groups for each data folder, so that platforms beside each other do not meet.
  const groups = openGroupTree(`mooring-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`);
  log.info({ limits: groups?.kind ?? 'memory only, by watching' }, 'limits of instances');
  return createLocalCompute({
    instances,
    socketOf: (id) => join(run, 'i', `${id}.sock`),
    command: [process.execPath, config.scorerMain],
    environment,
    groups,
    logBytesMax: config.logBytesMax,
    log,
  });
}

function serve(
  { config, compute, preparationLog, registry, log }: Parts,
  { ofJobs, ...preparing }: Preparing,
  loop: ControlLoop,
): Promise<GrpcServer> {
  const prepareOfJob = createPrepareBatch({
    registry,
    preparationLog,
    prepare: (spec, context) => prepareBatch(preparing, spec, context),
    prepareCommand: (spec, context) => prepareCommand(preparing, spec, context),
    used: ofJobs.used,
  });
  const services = [
    service<ControllerServiceServer>(ControllerServiceService, {
      getLogs: unary(log, createGetLogs({ compute, preparationLog })),
      listInstances: unary(log, createListInstances(loop)),
      prepareBatch: unary(log, prepareOfJob),
    }),
  ];
  const { address, listenFd } = config;
  return startGrpcServer({ address, listenFd, services, log, ready: () => true });
}
