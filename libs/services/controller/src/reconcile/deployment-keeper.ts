import { isTerminal, type InstanceRecord, type OnlineDeploymentSpec, type Stored } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { describeCrashes, givenUp } from '../domain/crash-history.ts';
import { planRoll, type RollingPlan } from '../domain/rolling-plan.ts';
import type {
  AppliedDeployment,
  AppliedStore,
  ComputeTarget,
  Events,
  InlineBans,
  InstanceHandle,
  Launch,
  Registry,
} from '../ports.ts';
import type { InstanceRecords } from './instance-records.ts';
import { InstanceSet } from './instance-set.ts';
import { OperationReports } from './operation-reports.ts';
import { Preparations, transientTriesMax, type Prepare, type Preparation } from './preparations.ts';
import { progressOf } from './progress.ts';
import {
  graceMsOf,
  isUnknown,
  launchesOf,
  nothing,
  patientProbes,
  planFor,
  probesOf,
  targetOf,
  wantedOf,
  type Target,
} from './target.ts';

export interface KeeperDeps {
  registry: Registry;
  applied: AppliedStore;
  compute: ComputeTarget;
  events: Events;
  bans: InlineBans;
  records: InstanceRecords;
  prepare: Prepare;
  /** Asks for another look at this deployment. */
  wake: () => void;
  /** Routers get this long to see that an instance leaves before it is told to stop. */
  noticeMs: number;
  /** Called when the deployment is gone with everything of it. */
  onGone: () => void;
}

type Deployment = Stored<'online-deployment'>;

/**
 * Keeps one deployment as it should be. `reconcile` may be called at any time, any number of times, but not at once with
 * itself; it looks at everything anew, takes the next steps and tells when to look again.
 */
export class DeploymentKeeper {
  private readonly deps: KeeperDeps;
  private readonly key: string;
  private readonly instances: InstanceSet;
  private readonly preparations: Preparations;
  private readonly reports: OperationReports;
  private known: Deployment | undefined;
  private applied: { value: AppliedDeployment | undefined } | undefined;
  private target: Target = nothing;
  private generationSeen: number | undefined;

  constructor(key: string, deps: KeeperDeps) {
    this.key = key;
    this.deps = deps;
    this.instances = new InstanceSet(deps);
    this.preparations = new Preparations(deps.prepare, deps.wake);
    this.reports = new OperationReports(deps.registry);
  }

  /** Takes in an instance that runs already. */
  take(handle: InstanceHandle, restarts: number): void {
    this.instances.take(handle, restarts);
  }

  /** Told by the compute target. */
  onInstanceChange(handle: InstanceHandle): void {
    this.instances.onChange(handle);
  }

  records(): InstanceRecord[] {
    return this.instances.records();
  }

  /** The names of endpoint and deployment, as the user wrote them where that is known. */
  names(): [string, string] {
    const [endpoint = '', deployment = ''] = (this.known?.key ?? this.key).split('/');
    return [endpoint, deployment];
  }

  /** Python interpreters that instances run on or may be started with; undefined while that is not known. */
  interpreters(): string[] | undefined {
    const launches = launchesOf(this.target);
    const known = new Set(launches.map(({ digest }) => digest));
    const all = [this.target.wanted, this.target.fallback].every((side) => side === undefined || side.launch);
    if (!all || this.instances.all().some(({ handle }) => !known.has(handle.specDigest))) return undefined;
    return launches.flatMap(({ template: { runtime } }) => (runtime.kind === 'python' ? runtime.interpreter : []));
  }

  /** Looks and acts; resolves with when to look again, in ms. */
  async reconcile(): Promise<number | undefined> {
    // First, because routers must hear of an instance that ended even while the registry cannot be reached.
    await this.instances.flush().catch(() => {});
    const deployment = await this.read();
    if (deployment === undefined || deployment.state === 'Deleting') return this.takeDown(deployment);
    try {
      return await this.keep(deployment);
    } catch (thrown) {
      if (!isTerminal(deployment.state)) await this.reports.trouble(deployment, PlatformError.from(thrown).message);
      throw thrown;
    }
  }

  /** The whole platform stops: drains and stops every instance. Never rejects; `signal` aborts = stop at once. */
  async stopAll(signal: AbortSignal): Promise<void> {
    this.preparations.keepOnly([]);
    await this.instances.stopAll(graceMsOf(this.target), signal);
  }

  /** Ends preparations; instances are left running. */
  release(): void {
    this.instances.release();
    this.preparations.keepOnly([]);
  }

  private async keep(deployment: Deployment): Promise<number | undefined> {
    this.noteGeneration(deployment);
    const applied = await this.readApplied();
    const target = targetOf(deployment, applied, (spec) => this.launchOf(spec));
    this.target = target;
    this.preparations.keepOnly([target.wanted, target.fallback].flatMap((side) => side?.spec ?? []));
    for (const { handle } of this.instances.all()) handle.useProbes(probesOf(target, handle.specDigest));
    const inProgress = !isTerminal(deployment.state);
    const preparation = inProgress ? this.preparations.of(deployment.spec, Date.now()) : undefined;
    if (preparation !== undefined && (await this.failIfHopeless(deployment, preparation))) return undefined;
    const plan = this.plan(target);
    await this.act(plan, target);
    if (preparation !== undefined) await this.reportProgress(deployment, preparation, target);
    if (this.serves(deployment, target, plan)) await this.succeed(deployment, applied, target);
    return this.nextLookMs(target);
  }

  /** While the registry cannot be reached, what was read last goes on to count. */
  private async read(): Promise<Deployment | undefined> {
    try {
      this.known = await this.deps.registry.get('online-deployment', this.key);
    } catch (thrown) {
      const error = PlatformError.from(thrown);
      if (this.known === undefined || error.code === 'internal') throw thrown;
    }
    return this.known;
  }

  private async readApplied(): Promise<AppliedDeployment | undefined> {
    this.applied ??= { value: await this.deps.applied.get(this.key) };
    return this.applied.value;
  }

  /** A new request of the user gets all its tries. */
  private noteGeneration({ generation }: Deployment): void {
    if (this.generationSeen === generation) return;
    if (this.generationSeen !== undefined) {
      this.instances.forgetCrashes();
      this.preparations.forgetFailures();
    }
    this.generationSeen = generation;
  }

  private launchOf(spec: OnlineDeploymentSpec): Launch | undefined {
    const preparation = this.preparations.of(spec, Date.now());
    return preparation.state === 'ready' ? preparation.launch : undefined;
  }

  private plan(target: Target): RollingPlan {
    if (isUnknown(target)) return { actions: [], settled: false };
    const now = Date.now();
    return planRoll({
      ...planFor(target),
      instances: this.instances.observed(),
      mayStart: (digest) => this.instances.mayStart(digest, now),
    });
  }

  /** Even while records cannot be written, what crashed is started again. */
  private async act(plan: RollingPlan, target: Target): Promise<void> {
    const probes = (digest: string) => probesOf(target, digest);
    await this.instances.act(plan.actions, launchesOf(target), probes, graceMsOf(target));
    await this.instances.flush();
  }

  /** True when the operation was reported as failed. */
  private async failIfHopeless(deployment: Deployment, preparation: Preparation): Promise<boolean> {
    const error = this.hopeless(deployment.spec, preparation);
    if (error === undefined) return false;
    await this.reports.failed(deployment, error);
    const [endpoint, name] = this.names();
    this.deps.events.tell({ kind: 'DeploymentFailed', endpoint, deployment: name, message: error.message });
    this.instances.forgetFallen();
    this.deps.wake();
    return true;
  }

  private hopeless(
    spec: OnlineDeploymentSpec,
    preparation: Preparation,
  ): { code: string; message: string } | undefined {
    if (preparation.state === 'running') return undefined;
    if (preparation.state === 'ready') return givenUp(this.instances.crashesOf(preparation.launch.digest));
    const { failure, retryAtMs } = preparation;
    if (retryAtMs !== undefined && this.preparations.failuresOf(spec) < transientTriesMax) return undefined;
    return { code: failure.code, message: failure.message };
  }

  private async reportProgress(deployment: Deployment, preparation: Preparation, { wanted }: Target): Promise<void> {
    const launch = wanted?.launch;
    const crash = launch === undefined ? '' : describeCrashes(this.instances.crashesOf(launch.digest));
    const progress = progressOf(preparation, wantedOf(wanted), this.instances.all(), crash === '' ? undefined : crash);
    await this.reports.progress(deployment, progress);
  }

  private serves({ state }: Deployment, { wanted }: Target, plan: RollingPlan): boolean {
    const settled = plan.settled && wanted?.launch !== undefined && !this.instances.hasFallen;
    return settled && (!isTerminal(state) || state === 'Succeeded');
  }

  private async succeed(deployment: Deployment, applied: AppliedDeployment | undefined, target: Target): Promise<void> {
    // First what to fall back on, then the word that it is so: after a crash between the two this runs again.
    if (applied?.generation !== deployment.generation) {
      const value = { generation: deployment.generation, spec: deployment.spec };
      await this.deps.applied.put(this.key, value);
      this.applied = { value };
    }
    if (deployment.state !== 'Succeeded') {
      await this.reports.succeeded(deployment, target.wanted?.launch?.warnings);
    }
  }

  private async takeDown(deployment: Deployment | undefined): Promise<number | undefined> {
    this.preparations.keepOnly([]);
    this.instances.forgetFallen();
    if (deployment !== undefined) {
      // It tells how long the calls that are open may take.
      this.target = { wanted: { spec: deployment.spec, launch: undefined }, fallback: this.target.wanted };
    }
    const graceMs = graceMsOf(this.target);
    await this.instances.act(this.plan(nothing).actions, [], () => patientProbes, graceMs);
    await this.instances.flush();
    if (!this.instances.isEmpty) return this.nextLookMs(nothing);
    const [endpoint, name] = this.names();
    await this.deps.applied.remove(this.key);
    await this.deps.compute.forget(endpoint, name);
    if (deployment !== undefined) {
      await this.deps.registry.finalizeDelete('online-deployment', deployment.key, deployment.generation);
    }
    this.deps.onGone();
    return undefined;
  }

  private nextLookMs(target: Target): number | undefined {
    const now = Date.now();
    const digests = launchesOf(target).map(({ digest }) => digest);
    const retryAtMs = this.preparations.nextRetryAtMs();
    const times = [...this.instances.dueTimes(digests, now), ...(retryAtMs === undefined ? [] : [retryAtMs])];
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - now) + 1;
  }
}
