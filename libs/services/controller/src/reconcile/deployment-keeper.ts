import { randomBytes } from 'node:crypto';
import {
  isTerminal,
  type InstanceRecord,
  type OnlineDeploymentSpec,
  type ProvisioningState,
  type Stored,
} from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { metrics } from '@mooring/telemetry';
import { afterCrash, describeCrashes, givenUp, noCrashes, type CrashHistory } from '../domain/crash-history.ts';
import { planRoll, type Action, type RollingPlan, type Wanted } from '../domain/rolling-plan.ts';
import type {
  AppliedDeployment,
  AppliedStore,
  ComputeTarget,
  Events,
  InstanceHandle,
  Launch,
  Probes,
  Registry,
} from '../ports.ts';
import type { InstanceRecords } from './instance-records.ts';
import { Preparations, transientTriesMax, type Prepare, type Preparation } from './preparations.ts';
import { progressOf } from './progress.ts';
import { observe, recordOf, type Slot } from './slot.ts';

export interface KeeperDeps {
  registry: Registry;
  applied: AppliedStore;
  compute: ComputeTarget;
  events: Events;
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

/** What should run, as far as it is known now. */
interface Target {
  wanted: Launch | undefined;
  wantedCount: number;
  fallback: Launch | undefined;
  fallbackCount: number;
  /** Nothing may be decided yet: what should run is not known. */
  unknown: boolean;
}

const nothing: Target = {
  wanted: undefined,
  wantedCount: 0,
  fallback: undefined,
  fallbackCount: 0,
  unknown: false,
};

/** An instance that never served, or whose calls were all finished, has this long to end. */
const shortGraceMs = 2_000;
const graceBeyondRequestMs = 5_000;
/** Records of ended instances that are shown until others take their place. */
const fallenMax = 8;

/**
 * Keeps one deployment as it should be. `reconcile` may be called at any time, any number of times, but not at once with
 * itself; it looks at everything anew, takes the next steps and tells when to look again.
 */
export class DeploymentKeeper {
  private readonly deps: KeeperDeps;
  private readonly key: string;
  private readonly slots = new Map<string, Slot>();
  private readonly crashes = new Map<string, CrashHistory>();
  private readonly preparations: Preparations;
  private fallen: InstanceRecord[] = [];
  private known: Deployment | undefined;
  private applied: { value: AppliedDeployment | undefined } | undefined;
  private lastReport = '';
  private closing = false;

  constructor(key: string, deps: KeeperDeps) {
    this.key = key;
    this.deps = deps;
    this.preparations = new Preparations(deps.prepare, deps.wake);
  }

  /** Takes in an instance that runs already. */
  take(handle: InstanceHandle, restarts: number): void {
    this.slots.set(handle.id, { handle, restarts });
  }

  records(): InstanceRecord[] {
    return [...[...this.slots.values()].map(recordOf), ...this.fallen];
  }

  /** The names of endpoint and deployment, as the user wrote them where that is known. */
  names(): [string, string] {
    const [endpoint = '', deployment = ''] = (this.known?.key ?? this.key).split('/');
    return [endpoint, deployment];
  }

  /** Looks and acts; resolves with when to look again, in ms. */
  async reconcile(): Promise<number | undefined> {
    // First, because routers must hear of an instance that ended even while the registry cannot be reached.
    await this.flush().catch(() => {});
    const deployment = await this.read();
    const going = deployment === undefined || deployment.state === 'Deleting';
    if (going) return this.takeDown(deployment);
    this.noteGeneration(deployment);
    const inProgress = !isTerminal(deployment.state);
    const applied = await this.readApplied();
    const target = this.target(deployment, applied);
    for (const slot of this.slots.values()) slot.handle.useProbes(probesOf(deployment.spec));
    const preparation = inProgress ? this.preparations.of(deployment.spec, Date.now()) : undefined;
    if (preparation !== undefined && (await this.failIfHopeless(deployment, preparation))) return undefined;
    const plan = this.plan(target);
    // Even while records cannot be written: what crashed is started again.
    await this.act(plan.actions, target);
    await this.flush();
    if (preparation !== undefined) await this.reportProgress(deployment, preparation, target);
    if (this.succeeded(deployment.state, target, plan)) await this.succeed(deployment, applied, target);
    return this.nextLookMs(target);
  }

  /** The whole platform stops: drains and stops every instance. Never rejects; `signal` aborts = stop at once. */
  async stopAll(signal: AbortSignal): Promise<void> {
    this.closing = true;
    this.preparations.keepOnly([]);
    const graceMs = this.graceMs();
    const stops = [...this.slots.values()].map((slot) => {
      slot.leaving ??= { toldAtMs: Date.now(), stopping: undefined, graceMs };
      return (slot.leaving.stopping ??= slot.handle.stop(graceMs));
    });
    await this.flush().catch(() => {});
    const hurry = (): void => {
      for (const slot of this.slots.values()) void slot.handle.stop(0);
    };
    signal.addEventListener('abort', hurry, { once: true });
    await Promise.all(stops);
    this.slots.clear();
    this.fallen = [];
    await this.flush().catch(() => {});
  }

  /** Ends preparations; instances are left running. */
  release(): void {
    this.closing = true;
    this.preparations.keepOnly([]);
  }

  /** Told by the compute target. */
  onInstanceChange(handle: InstanceHandle): void {
    const slot = this.slots.get(handle.id);
    if (slot === undefined) return;
    if (handle.phase === 'ended') this.onEnd(slot);
    else if (handle.phase === 'ready') this.onReady(slot);
    else if (handle.phase === 'unready') this.tell('InstanceUnready', handle, handle.reason ?? 'is not ready');
    if (!this.closing) this.deps.wake();
  }

  private onReady({ handle }: Slot): void {
    const seconds = (Date.now() - handle.startedAtMs) / 1_000;
    if (handle.readyAtMs !== undefined && Date.now() - handle.readyAtMs < 100) {
      metrics.scorerColdStart.observe(labelsOf(handle), seconds);
    }
    this.tell('InstanceReady', handle, `serves, ${seconds.toFixed(1)} s after its start`);
  }

  private onEnd(slot: Slot): void {
    const { handle, leaving } = slot;
    this.slots.delete(handle.id);
    if (leaving !== undefined || handle.ended === undefined) {
      this.tell('InstanceStopped', handle, 'was stopped');
      return;
    }
    const nowMs = Date.now();
    const servedMs = handle.readyAtMs === undefined ? 0 : nowMs - handle.readyAtMs;
    const crash = { atMs: nowMs, ended: handle.ended };
    const history = afterCrash(this.crashes.get(handle.specDigest) ?? noCrashes, crash, servedMs);
    this.crashes.set(handle.specDigest, history);
    const reason = describeCrashes(history);
    this.fallen = [...this.fallen, { ...recordOf(slot), state: 'failed' as const, reason }].slice(-fallenMax);
    metrics.scorerRestarts.inc({ ...labelsOf(handle), why: whyLabel(handle) });
    this.tell('InstanceCrashed', handle, reason);
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
  private noteGeneration(deployment: Deployment): void {
    const marker = `${deployment.generation}`;
    if (this.generationSeen === marker) return;
    if (this.generationSeen !== undefined) {
      this.crashes.clear();
      this.preparations.forgetFailures();
      this.lastReport = '';
    }
    this.generationSeen = marker;
  }
  private generationSeen: string | undefined;

  private target(deployment: Deployment, applied: AppliedDeployment | undefined): Target {
    const inProgress = !isTerminal(deployment.state);
    const wantedSpec = inProgress || deployment.state === 'Succeeded' ? deployment.spec : applied?.spec;
    const fallbackSpec = inProgress ? applied?.spec : undefined;
    this.preparations.keepOnly([wantedSpec, fallbackSpec].filter((spec) => spec !== undefined));
    const wanted = wantedSpec === undefined ? undefined : this.launchOf(wantedSpec);
    const fallback = fallbackSpec === undefined ? undefined : this.launchOf(fallbackSpec);
    return {
      wanted,
      wantedCount: wantedSpec?.instanceCount ?? 0,
      fallback,
      fallbackCount: fallbackSpec?.instanceCount ?? 0,
      unknown: wantedSpec !== undefined && wanted === undefined && fallback === undefined,
    };
  }

  private launchOf(spec: OnlineDeploymentSpec): Launch | undefined {
    const preparation = this.preparations.of(spec, Date.now());
    return preparation.state === 'ready' ? preparation.launch : undefined;
  }

  private plan(target: Target): RollingPlan {
    if (target.unknown) return { actions: [], settled: false };
    // While the new spec is being prepared, the old one is what should run.
    const [wanted, fallback] =
      target.wanted === undefined && target.fallback !== undefined
        ? [wantedOf(target.fallback, target.fallbackCount), undefined]
        : [wantedOf(target.wanted, target.wantedCount), wantedOf(target.fallback, target.fallbackCount)];
    const now = Date.now();
    return planRoll({
      wanted,
      fallback,
      instances: [...this.slots.values()].map(observe),
      mayStart: (digest) => !this.closing && now >= (this.crashes.get(digest) ?? noCrashes).nextStartAtMs,
    });
  }

  private async act(actions: readonly Action[], target: Target): Promise<void> {
    const launches = [target.wanted, target.fallback];
    for (const action of actions) {
      if (action.do === 'start') {
        const launch = launches.find((one) => one?.digest === action.digest);
        if (launch !== undefined) await this.start(launch);
        continue;
      }
      const slot = this.slots.get(action.id);
      if (slot !== undefined) this.takeAway(slot, action.do);
    }
    this.stopThoseTold();
  }

  private async start(launch: Launch): Promise<void> {
    const { endpoint, deployment } = launch.template;
    const probes = probesOf(this.known?.spec);
    const identity = { id: newInstanceId(deployment), endpoint, deployment, specDigest: launch.digest };
    const handle = await this.deps.compute.start(identity, launch, probes, (changed) => this.onInstanceChange(changed));
    const replaced = this.fallen.shift();
    this.slots.set(handle.id, { handle, restarts: replaced === undefined ? 0 : replaced.restarts + 1 });
    metrics.scorerColdStarts.inc(labelsOf(handle));
    this.tell('InstanceStarted', handle, `started as process ${handle.pid}`);
  }

  private takeAway(slot: Slot, how: 'drain' | 'stop'): void {
    slot.leaving = {
      toldAtMs: undefined,
      stopping: undefined,
      graceMs: how === 'drain' ? this.graceMs() : shortGraceMs,
    };
    if (how === 'stop') slot.leaving.stopping = slot.handle.stop(shortGraceMs);
  }

  /** The longest request that may be open, and a little. */
  private graceMs(): number {
    const specs = [this.known?.spec, this.applied?.value?.spec].filter((spec) => spec !== undefined);
    const longest = Math.max(0, ...specs.map((spec) => spec.requestSettings.requestTimeoutMs));
    return longest + graceBeyondRequestMs;
  }

  private stopThoseTold(): void {
    const now = Date.now();
    for (const { handle, leaving } of this.slots.values()) {
      if (leaving?.toldAtMs === undefined || leaving.stopping !== undefined) continue;
      if (now - leaving.toldAtMs >= this.deps.noticeMs) leaving.stopping = handle.stop(leaving.graceMs);
    }
  }

  /** Writes what routers must know; only then does the time run that they get to see it. */
  private async flush(): Promise<void> {
    const told = [...this.slots.values()].filter((slot) => slot.leaving !== undefined);
    await this.deps.records.sync(this.records());
    for (const { leaving } of told) if (leaving !== undefined) leaving.toldAtMs ??= Date.now();
  }

  /** True when the operation was reported as failed. */
  private async failIfHopeless(deployment: Deployment, preparation: Preparation): Promise<boolean> {
    const error = this.hopeless(deployment.spec, preparation);
    if (error === undefined) return false;
    await this.deps.registry.report({
      kind: 'online-deployment',
      key: deployment.key,
      generation: deployment.generation,
      status: 'Failed',
      error,
    });
    this.tell('DeploymentFailed', { endpoint: this.names()[0], deployment: this.names()[1] }, error.message);
    this.fallen = [];
    this.deps.wake();
    return true;
  }

  private hopeless(
    spec: OnlineDeploymentSpec,
    preparation: Preparation,
  ): { code: string; message: string } | undefined {
    if (preparation.state === 'running') return undefined;
    if (preparation.state === 'ready') return givenUp(this.crashes.get(preparation.launch.digest) ?? noCrashes);
    const { failure, retryAtMs } = preparation;
    if (retryAtMs !== undefined && this.preparations.failuresOf(spec) < transientTriesMax) return undefined;
    return { code: failure.code, message: failure.message };
  }

  private async reportProgress(deployment: Deployment, preparation: Preparation, target: Target): Promise<void> {
    const wanted = wantedOf(target.wanted, target.wantedCount);
    const crash = target.wanted === undefined ? undefined : this.crashes.get(target.wanted.digest);
    const reason = crash === undefined ? undefined : describeCrashes(crash);
    const progress = progressOf(preparation, wanted, [...this.slots.values()], reason);
    const text = `${deployment.generation} ${progress.step}`;
    if (progress.step === undefined || text === this.lastReport) return;
    await this.deps.registry.report({
      kind: 'online-deployment',
      key: deployment.key,
      generation: deployment.generation,
      status: 'InProgress',
      ...progress,
    });
    this.lastReport = text;
  }

  private succeeded(state: ProvisioningState, target: Target, plan: RollingPlan): boolean {
    const serves = plan.settled && target.wanted !== undefined && this.fallen.length === 0;
    return serves && (!isTerminal(state) || state === 'Succeeded');
  }

  private async succeed(deployment: Deployment, applied: AppliedDeployment | undefined, target: Target): Promise<void> {
    // First what to fall back on, then the word that it is so: after a crash between the two this runs again.
    if (applied?.generation !== deployment.generation) {
      const value = { generation: deployment.generation, spec: deployment.spec };
      await this.deps.applied.put(this.key, value);
      this.applied = { value };
    }
    if (deployment.state === 'Succeeded') return;
    const warnings = target.wanted?.warnings ?? [];
    await this.deps.registry.report({
      kind: 'online-deployment',
      key: deployment.key,
      generation: deployment.generation,
      status: 'Succeeded',
      ...(warnings.length === 0 ? {} : { warnings }),
    });
  }

  private async takeDown(deployment: Deployment | undefined): Promise<number | undefined> {
    this.preparations.keepOnly([]);
    this.fallen = [];
    await this.act(this.plan(nothing).actions, nothing);
    await this.flush();
    if (this.slots.size > 0) return this.nextLookMs(nothing);
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
    const times: number[] = [];
    for (const { leaving } of this.slots.values()) {
      if (leaving?.toldAtMs !== undefined && leaving.stopping === undefined) {
        times.push(leaving.toldAtMs + this.deps.noticeMs);
      }
    }
    for (const launch of [target.wanted, target.fallback]) {
      const nextStartAtMs = launch === undefined ? 0 : (this.crashes.get(launch.digest)?.nextStartAtMs ?? 0);
      if (nextStartAtMs > now) times.push(nextStartAtMs);
    }
    const retryAtMs = this.preparations.nextRetryAtMs();
    if (retryAtMs !== undefined) times.push(retryAtMs);
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - now) + 1;
  }

  private tell(kind: string, of: { id?: string; endpoint: string; deployment: string }, message: string): void {
    this.deps.events.tell({
      kind,
      endpoint: of.endpoint,
      deployment: of.deployment,
      message,
      ...(of.id === undefined ? {} : { instance: of.id }),
    });
  }
}

function wantedOf(launch: Launch | undefined, count: number): Wanted | undefined {
  return launch === undefined ? undefined : { digest: launch.digest, count };
}

function labelsOf(handle: { endpoint: string; deployment: string }): { endpoint: string; deployment: string } {
  return { endpoint: handle.endpoint, deployment: handle.deployment };
}

function whyLabel(handle: InstanceHandle): string {
  const because = handle.ended?.endedBecause ?? '';
  if (handle.ended?.outOfMemoryLimitMib !== undefined || because.includes('memory')) return 'memory';
  return because.includes('liveness') ? 'liveness' : 'crash';
}

const patientProbe = { initialDelayS: 10, periodS: 10, timeoutS: 2, successThreshold: 1, failureThreshold: 30 };

export function probesOf(spec: OnlineDeploymentSpec | undefined): Probes {
  return {
    readiness: spec?.readinessProbe ?? patientProbe,
    liveness: spec?.livenessProbe ?? patientProbe,
  };
}

/** Short enough for a socket's path: the deployment's name and 10 random hex digits. */
function newInstanceId(deployment: string): string {
  return `${deployment.toLowerCase().slice(0, 32)}-${randomBytes(5).toString('hex')}`;
}
