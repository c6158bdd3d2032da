import { randomBytes } from 'node:crypto';
import { isNativeCrash, type InstanceRecord } from '@mooring/domain';
import { metrics } from '@mooring/telemetry';
import { afterCrash, describeCrashes, noCrashes, type CrashHistory } from '../domain/crash-history.ts';
import type { Action, ObservedInstance } from '../domain/rolling-plan.ts';
import type { ComputeTarget, Events, InlineBans, InstanceHandle, Launch, Probes } from '../ports.ts';
import type { InstanceRecords } from './instance-records.ts';
import { observe, recordOf, type Slot } from './slot.ts';

export interface InstanceSetDeps {
  compute: Pick<ComputeTarget, 'start'>;
  events: Events;
  bans: InlineBans;
  records: InstanceRecords;
  /** Asks for another look at the deployment. */
  wake: () => void;
  /** Routers get this long to see that an instance leaves before it is told to stop. */
  noticeMs: number;
}

/** An instance that never served, or whose calls were all finished, has this long to end. */
const shortGraceMs = 2_000;
/** Records of ended instances that are shown until others take their place. */
const fallenMax = 8;

/** The instances of one deployment: starts them, lets them go, remembers how they ended, and keeps their records. */
export class InstanceSet {
  private readonly deps: InstanceSetDeps;
  private readonly slots = new Map<string, Slot>();
  private readonly crashes = new Map<string, CrashHistory>();
  private fallen: InstanceRecord[] = [];
  private closing = false;

  constructor(deps: InstanceSetDeps) {
    this.deps = deps;
  }

  /** Takes in an instance that runs already. */
  take(handle: InstanceHandle, restarts: number): void {
    this.slots.set(handle.id, { handle, restarts });
  }

  get isEmpty(): boolean {
    return this.slots.size === 0;
  }

  /** Some ended and have not been replaced yet. */
  get hasFallen(): boolean {
    return this.fallen.length > 0;
  }

  all(): Slot[] {
    return [...this.slots.values()];
  }

  observed(): ObservedInstance[] {
    return this.all().map(observe);
  }

  records(): InstanceRecord[] {
    return [...this.all().map((slot) => recordOf(slot, this.deps.bans)), ...this.fallen];
  }

  crashesOf(digest: string): CrashHistory {
    return this.crashes.get(digest) ?? noCrashes;
  }

  /** False while the pause after a crash runs. */
  mayStart(digest: string, nowMs: number): boolean {
    return !this.closing && nowMs >= this.crashesOf(digest).nextStartAtMs;
  }

  forgetCrashes(): void {
    this.crashes.clear();
  }

  forgetFallen(): void {
    this.fallen = [];
  }

  /** Takes the steps of a plan. `graceMs`: how long an instance that served may take to finish its calls. */
  async act(
    actions: readonly Action[],
    launches: readonly Launch[],
    probesOf: (digest: string) => Probes,
    graceMs: number,
  ): Promise<void> {
    for (const action of actions) {
      if (action.do === 'start') {
        const launch = launches.find((one) => one.digest === action.digest);
        if (launch !== undefined) await this.start(launch, probesOf(launch.digest));
        continue;
      }
      const slot = this.slots.get(action.id);
      if (slot !== undefined) takeAway(slot, action.do, graceMs);
    }
    this.stopThoseTold();
  }

  /** Writes what routers must know; only then does the time run that they get to see it. */
  async flush(): Promise<void> {
    const told = this.all().filter((slot) => slot.leaving !== undefined);
    await this.deps.records.sync(this.records());
    for (const { leaving } of told) if (leaving !== undefined) leaving.toldAtMs ??= Date.now();
  }

  /** When something is due that nobody tells of: the end of a notice, or of the pause after a crash of these digests. */
  dueTimes(digests: readonly string[], nowMs: number): number[] {
    const notices = this.all().flatMap(({ leaving }) =>
      leaving?.toldAtMs === undefined || leaving.stopping !== undefined ? [] : [leaving.toldAtMs + this.deps.noticeMs],
    );
    const starts = digests.map((digest) => this.crashesOf(digest).nextStartAtMs).filter((atMs) => atMs > nowMs);
    return [...notices, ...starts];
  }

  /** Lets every instance finish its calls and stops it. Never rejects; once `signal` aborts they end at once. */
  async stopAll(graceMs: number, signal: AbortSignal): Promise<void> {
    this.closing = true;
    const stops = this.all().map((slot) => {
      slot.leaving ??= { toldAtMs: Date.now(), stopping: undefined, graceMs };
      return (slot.leaving.stopping ??= slot.handle.stop(graceMs));
    });
    const hurry = (): void => this.all().forEach((slot) => void slot.handle.stop(0));
    signal.addEventListener('abort', hurry, { once: true });
    if (signal.aborted) hurry();
    await this.flush().catch(() => {});
    await Promise.all(stops);
    this.slots.clear();
    this.fallen = [];
    await this.flush().catch(() => {});
  }

  /** Asks for nothing more; instances are left running. */
  release(): void {
    this.closing = true;
  }

  /** Told by the compute target. */
  onChange(handle: InstanceHandle): void {
    const slot = this.slots.get(handle.id);
    if (slot === undefined) return;
    if (handle.phase === 'ended') this.onEnd(slot);
    else if (handle.phase === 'ready') this.onReady(slot);
    else if (handle.phase === 'unready') this.tell('InstanceUnready', handle, handle.reason ?? 'is not ready');
    if (!this.closing) this.deps.wake();
  }

  private async start(launch: Launch, probes: Probes): Promise<void> {
    const { endpoint, deployment } = launch.template;
    const identity = { id: newInstanceId(deployment), endpoint, deployment, specDigest: launch.digest };
    const handle = await this.deps.compute.start(identity, launch, probes, (changed) => this.onChange(changed));
    const replaced = this.fallen.shift();
    this.slots.set(handle.id, { handle, restarts: replaced === undefined ? 0 : replaced.restarts + 1 });
    metrics.scorerColdStarts.inc(labelsOf(handle));
    this.tell('InstanceStarted', handle, `started as process ${handle.pid}`);
  }

  private stopThoseTold(): void {
    const now = Date.now();
    for (const { handle, leaving } of this.slots.values()) {
      if (leaving?.toldAtMs === undefined || leaving.stopping !== undefined) continue;
      if (now - leaving.toldAtMs >= this.deps.noticeMs) leaving.stopping = handle.stop(leaving.graceMs);
    }
  }

  private onReady({ handle }: Slot): void {
    const seconds = (Date.now() - handle.startedAtMs) / 1_000;
    if (handle.readyAtMs !== undefined && Date.now() - handle.readyAtMs < 100) {
      metrics.scorerColdStart.observe(labelsOf(handle), seconds);
      metrics.modelLoads.inc({ ...labelsOf(handle), result: 'loaded' });
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
    this.banAfterCrash(handle);
    const nowMs = Date.now();
    const servedMs = handle.readyAtMs === undefined ? 0 : nowMs - handle.readyAtMs;
    const crash = { atMs: nowMs, ended: handle.ended };
    const history = afterCrash(this.crashesOf(handle.specDigest), crash, servedMs);
    this.crashes.set(handle.specDigest, history);
    const reason = describeCrashes(history);
    this.fallen = [...this.fallen, { ...recordOf(slot, this.deps.bans), state: 'failed' as const, reason }].slice(
      -fallenMax,
    );
    metrics.scorerRestarts.inc({ ...labelsOf(handle), why: whyLabel(handle) });
    if (handle.readyAtMs === undefined) metrics.modelLoads.inc({ ...labelsOf(handle), result: 'failed' });
    this.tell('InstanceCrashed', handle, reason);
  }

  /** What ends its own process in native code would end the data plane as well. */
  private banAfterCrash({ modelDigest, ended }: InstanceHandle): void {
    if (modelDigest === undefined || ended?.endedBecause !== undefined) return;
    const how = ended?.signal ?? String(ended?.exitCode ?? '');
    if (isNativeCrash(how)) this.deps.bans.ban(modelDigest, `a process that served it ended with ${how}`);
  }

  private tell(kind: string, { id, endpoint, deployment }: InstanceHandle, message: string): void {
    this.deps.events.tell({ kind, endpoint, deployment, instance: id, message });
  }
}

function takeAway(slot: Slot, how: 'drain' | 'stop', graceMs: number): void {
  slot.leaving = { toldAtMs: undefined, stopping: undefined, graceMs: how === 'drain' ? graceMs : shortGraceMs };
  if (how === 'stop') slot.leaving.stopping = slot.handle.stop(shortGraceMs);
}

function labelsOf(handle: InstanceHandle): { endpoint: string; deployment: string } {
  return { endpoint: handle.endpoint, deployment: handle.deployment };
}

function whyLabel(handle: InstanceHandle): string {
  const because = handle.ended?.endedBecause ?? '';
  if (handle.ended?.outOfMemoryLimitMib !== undefined || because.includes('memory')) return 'memory';
  return because.includes('liveness') ? 'liveness' : 'crash';
}

/** Short enough for a socket's path: the deployment's name and 10 random hex digits. */
function newInstanceId(deployment: string): string {
  return `${deployment.toLowerCase().slice(0, 32)}-${randomBytes(5).toString('hex')}`;
}
