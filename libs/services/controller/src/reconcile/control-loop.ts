import type { Logger } from 'pino';
import {
  endpointKindOf,
  kvKey,
  namesOfKvKey,
  type DeploymentKind,
  type EndpointKind,
  type InstanceRecord,
} from '@mooring/domain';
import type { Bucket, Watch } from '@mooring/messaging';
import type { StopReason } from '@mooring/runtime';
import type {
  AppliedStore,
  Auth,
  ComputeTarget,
  Events,
  InlineBans,
  InstanceHandle,
  Launch,
  PreparationLog,
  Registry,
  RoutingStore,
} from '../ports.ts';
import { BatchKeepers, type BatchKeepersDeps, type BatchKind } from './batch-keepers.ts';
import { DeploymentKeeper } from './deployment-keeper.ts';
import { EndpointKeeper } from './endpoint-keeper.ts';
import { InstanceRecords } from './instance-records.ts';
import { KeyedQueue } from './keyed-queue.ts';
import type { LaunchContext } from './prepare-launch.ts';
import type { Preparations } from './preparations.ts';
import { patientProbes } from './target.ts';

type Spec = Parameters<Preparations['of']>[0];

export interface ControlLoopDeps {
  registry: Registry;
  auth: Auth;
  applied: AppliedStore;
  routing: RoutingStore;
  compute: ComputeTarget;
  events: Events;
  bans: InlineBans;
  preparationLog: PreparationLog;
  prepare: (spec: Spec, context: LaunchContext) => Promise<Launch>;
  prepareBatch: BatchKeepersDeps['prepare'];
  batchEndpoints: BatchKeepersDeps['records'];
  /** Python interpreters that jobs were given lately. */
  interpretersOfJobs: () => readonly string[];
  /** Removes environments except those of these interpreters. */
  pruneEnvironments: (interpreters: readonly string[]) => Promise<unknown>;
  instances: Bucket<InstanceRecord>;
  /** Watched for the word that something changed; what it is, the registry tells. */
  resources: Pick<Bucket<unknown>, 'watch'>;
  log: Logger;
  noticeMs: number;
  resyncMs: number;
}

/** Keys of what left traces: records in NATS. */
interface Leftovers {
  endpoints: readonly string[];
  deployments: readonly string[];
  batchEndpoints: readonly string[];
}

/** Keepers that work at the same time; most of their time they wait for the registry. */
const concurrency = 16;
const tidyEveryMs = 60_000;
/** Environments are large but do no harm for a while. */
const pruneEveryMs = 3_600_000;

/**
 * Looks after every endpoint and deployment: whatever may have changed is looked at, and so is everything now and then.
 * Keys of endpoints and deployments are in lower case here.
 */
export class ControlLoop {
  private readonly deps: ControlLoopDeps;
  private readonly queue: KeyedQueue;
  private readonly deployments = new Map<string, DeploymentKeeper>();
  private readonly endpoints = new Map<string, EndpointKeeper>();
  private readonly batch: BatchKeepers;
  private readonly written = new Map<string, Map<string, InstanceRecord>>();
  private watch: Watch | undefined;
  private tidying: NodeJS.Timeout | undefined;
  private pruning: NodeJS.Timeout | undefined;

  constructor(deps: ControlLoopDeps) {
    this.deps = deps;
    this.queue = new KeyedQueue({ concurrency, work: (key) => this.work(key), log: deps.log });
    const { registry, auth, preparationLog } = deps;
    const wake = (kind: BatchKind, key: string): void => this.wake(kind, key);
    const [records, prepare] = [deps.batchEndpoints, deps.prepareBatch];
    this.batch = new BatchKeepers({ registry, auth, preparationLog, records, prepare, wake });
  }

  /** Takes over what an earlier controller left, then begins. `leftovers`: endpoints and deployments that left traces. */
  async start(leftovers: Leftovers): Promise<void> {
    const records = await this.deps.instances.list();
    for (const [key, { value }] of records) this.noteWritten(key, value);
    // Before the first look at anything, or instances that run would be started a second time.
    await this.adopt();
    for (const key of this.written.keys()) this.wakeDeployment(key);
    for (const key of leftovers.deployments) this.wakeDeployment(key);
    for (const key of leftovers.endpoints) this.wakeEndpoint(key);
    for (const key of leftovers.batchEndpoints) this.wake('batch-endpoint', key);
    this.watch = await this.deps.resources.watch({}, (key) => this.onResource(key));
    await this.deps.compute.tidy();
    this.tidying = setInterval(() => void this.tidy(), tidyEveryMs).unref();
    this.pruning = setInterval(() => void this.prune(), pruneEveryMs).unref();
  }

  /** Records of an endpoint's instances; an absent `deployment` means those of all its deployments. */
  instancesOf(endpoint: string, deployment: string | undefined): InstanceRecord[] {
    const prefix = `${endpoint.toLowerCase()}/`;
    const only = deployment === undefined ? undefined : prefix + deployment.toLowerCase();
    return [...this.deployments]
      .filter(([key]) => (only === undefined ? key.startsWith(prefix) : key === only))
      .flatMap(([, keeper]) => keeper.records());
  }

  /**
   * Asked to stop, every instance is stopped; abandoned by its supervisor or replaced, all are left running for the next
   * controller.
   * `signal` aborts when they must end at once.
   */
  async stop(signal: AbortSignal, why: StopReason): Promise<void> {
    this.watch?.stop();
    clearInterval(this.tidying);
    clearInterval(this.pruning);
    await orAborted(this.queue.stop(), signal);
    this.batch.release();
    const keepers = [...this.deployments.values()];
    if (why !== 'asked') for (const keeper of keepers) keeper.release();
    else {
      await Promise.all(keepers.map((keeper) => keeper.stopAll(signal)));
      await this.tidy();
    }
    this.deps.compute.close();
  }

  /** Something changed that concerns every deployment. */
  wakeDeployments(): void {
    for (const key of this.deployments.keys()) this.wakeDeployment(key);
  }

  private async adopt(): Promise<void> {
    const handles = await this.deps.compute.adopt(
      () => patientProbes,
      (handle) => this.onInstanceChange(handle),
    );
    for (const handle of handles) {
      const key = `${handle.endpoint}/${handle.deployment}`.toLowerCase();
      const record = this.written.get(key)?.get(kvKey(handle.endpoint, handle.deployment, handle.id));
      this.deploymentKeeper(key).take(handle, record?.restarts ?? 0);
      this.wakeDeployment(key);
    }
    if (handles.length > 0) this.deps.log.info({ instances: handles.length }, 'took over running instances');
  }

  private noteWritten(key: string, record: InstanceRecord): void {
    const deployment = `${record.endpoint}/${record.deployment}`.toLowerCase();
    const known = this.written.get(deployment) ?? new Map<string, InstanceRecord>();
    this.written.set(deployment, known.set(key, record));
  }

  private onResource(storeKey: string): void {
    const [kind, ...names] = namesOfKvKey(storeKey);
    const key = names.join('/');
    if ((kind === 'online-endpoint' || kind === 'batch-endpoint') && names.length === 1) this.wake(kind, key);
    if ((kind !== 'online-deployment' && kind !== 'batch-deployment') || names.length !== 2) return;
    this.wake(kind, key);
    // Its endpoint's record tells of its deployments.
    this.wake(endpointKindOf[kind], names[0] ?? '');
  }

  private onInstanceChange(handle: InstanceHandle): void {
    this.deployments.get(`${handle.endpoint}/${handle.deployment}`.toLowerCase())?.onInstanceChange(handle);
  }

  private wakeDeployment(key: string): void {
    this.wake('online-deployment', key);
  }

  private wakeEndpoint(key: string): void {
    this.wake('online-endpoint', key);
  }

  private wake(kind: EndpointKind | DeploymentKind, key: string): void {
    this.queue.add(`${kind}/${key.toLowerCase()}`);
  }

  private async work(queueKey: string): Promise<number | undefined> {
    const slash = queueKey.indexOf('/');
    const [kind, key] = [queueKey.slice(0, slash) as EndpointKind | DeploymentKind, queueKey.slice(slash + 1)];
    const againAfterMs = await this.keeper(kind, key).reconcile();
    if (!this.has(kind, key)) return undefined;
    return Math.min(againAfterMs ?? this.deps.resyncMs, this.deps.resyncMs);
  }

  private keeper(kind: EndpointKind | DeploymentKind, key: string): { reconcile(): Promise<number | undefined> } {
    if (kind === 'online-endpoint') return this.endpointKeeper(key);
    return kind === 'online-deployment' ? this.deploymentKeeper(key) : this.batch.keeper(kind, key);
  }

  private has(kind: EndpointKind | DeploymentKind, key: string): boolean {
    if (kind === 'online-endpoint') return this.endpoints.has(key);
    return kind === 'online-deployment' ? this.deployments.has(key) : this.batch.has(kind, key);
  }

  private endpointKeeper(key: string): EndpointKeeper {
    const known = this.endpoints.get(key);
    if (known !== undefined) return known;
    const { registry, auth, applied, routing } = this.deps;
    const onGone = (): void => void this.endpoints.delete(key);
    const keeper = new EndpointKeeper(key, { registry, auth, applied, routing, onGone });
    this.endpoints.set(key, keeper);
    return keeper;
  }

  private deploymentKeeper(key: string): DeploymentKeeper {
    const known = this.deployments.get(key);
    if (known !== undefined) return known;
    const { registry, compute, events, bans, instances, noticeMs, preparationLog } = this.deps;
    const records = new InstanceRecords(instances);
    for (const [recordKey, record] of this.written.get(key) ?? []) records.seed(recordKey, record);
    this.written.delete(key);
    const [endpoint = '', deployment = ''] = key.split('/');
    const keeper: DeploymentKeeper = new DeploymentKeeper(key, {
      registry,
      applied: this.appliedOf(endpoint),
      compute,
      events,
      bans,
      records,
      prepare: (spec, context) => this.prepare(keeper.names(), spec, context),
      wake: () => this.wakeDeployment(key),
      noticeMs,
      onGone: () => {
        this.deployments.delete(key);
        preparationLog.forget(endpoint, deployment);
        this.wakeEndpoint(endpoint);
      },
    });
    this.deployments.set(key, keeper);
    return keeper;
  }

  /** The endpoint's routing record holds what was applied. */
  private appliedOf(endpoint: string): AppliedStore {
    const { applied } = this.deps;
    return {
      ...applied,
      put: async (key, value) => {
        await applied.put(key, value);
        this.wakeEndpoint(endpoint);
      },
    };
  }

  private prepare(
    [endpoint, deployment]: readonly [string, string],
    spec: Spec,
    context: Pick<LaunchContext, 'step' | 'signal'>,
  ): Promise<Launch> {
    const line = (text: string): void => this.deps.preparationLog.write(endpoint, deployment, text);
    const step = (text: string): void => {
      line(text);
      context.step(text);
    };
    return this.deps.prepare(spec, { endpoint, deployment, step, line, signal: context.signal });
  }

  private async tidy(): Promise<void> {
    try {
      await this.deps.compute.tidy();
    } catch (error) {
      this.deps.log.warn({ err: error }, 'what ended instances left behind could not be removed; trying again');
    }
  }

  /** Not while anything is on its way: what it needs may not be known. */
  private async prune(): Promise<void> {
    const used = [...this.deployments.values()].map((keeper) => keeper.interpreters());
    if (used.includes(undefined)) return;
    try {
      const online = used.flatMap((interpreters) => interpreters ?? []);
      await this.deps.pruneEnvironments([...online, ...this.batch.interpreters(), ...this.deps.interpretersOfJobs()]);
    } catch (error) {
      this.deps.log.warn({ err: error }, 'environments that nobody uses could not be removed; trying again later');
    }
  }
}

async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const resolve = (): void => aborted.resolve();
  signal.addEventListener('abort', resolve, { once: true });
  if (signal.aborted) resolve();
  await Promise.race([work, aborted.promise]);
  signal.removeEventListener('abort', resolve);
}
