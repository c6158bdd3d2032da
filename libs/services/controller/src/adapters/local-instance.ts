import type { ChildProcess } from 'node:child_process';
import { HealthClient } from '@mooring/contracts/health';
import type { ModelPlacement } from '@mooring/domain';
import { createClient, type RpcClient } from '@mooring/rpc';
import { capLog, endProcess, isAlive } from '@mooring/runtime';
import { mib, type Ended } from '../domain/exit-reason.ts';
import { afterProbe, freshLiveness, freshReadiness, startBudgetMs, type ProbeWindow } from '../domain/probe-window.ts';
import type { InstanceHandle, OnInstanceChange, Probes } from '../ports.ts';
import type { InstanceGroup } from './cgroups.ts';
import { logFile, readStatus, type InstanceFile } from './instance-folder.ts';
import { lastLines } from './log-files.ts';
import { residentBytesOfTree } from './process-tree.ts';

/** How often a starting instance is looked at: its readiness is seen this late at most. */
const startingTickMs = 100;
const runningTickMs = 500;
const memoryEveryMs = 2_000;
const reasonLines = 20;
const serving = 1;
/** A scorer that reported a failure ends by itself; one that does not is ended after this. */
const failedGraceMs = 3_000;

export interface LocalInstanceOptions {
  file: InstanceFile;
  instances: string;
  /** Absent for one that an earlier controller started: then nobody tells its exit code. */
  child: ChildProcess | undefined;
  group: InstanceGroup | undefined;
  /** The kernel holds the memory limit, so it is only measured here. */
  kernelLimitsMemory: boolean;
  logBytesMax: number;
  probes: Probes;
  onChange: OnInstanceChange;
  onMemory: (instance: InstanceHandle, bytes: number) => void;
}

/** Watches one scorer process: its status file, probes, memory, log and end. */
export class LocalInstance implements InstanceHandle {
  phase: InstanceHandle['phase'] = 'starting';
  readyAtMs: number | undefined;
  reason: string | undefined = 'starting';
  ended: Ended | undefined;
  placement: ModelPlacement | undefined;
  readonly address: string;
  private readonly options: LocalInstanceOptions;
  private readonly health: RpcClient<HealthClient>;
  private readonly gone = Promise.withResolvers<void>();
  private probes: Probes;
  private readiness: ProbeWindow = freshReadiness;
  private liveness: ProbeWindow = freshLiveness;
  private due = { readiness: 0, liveness: 0, memory: 0 };
  private failedAtMs: number | undefined;
  private endedBecause: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private released = false;
  /** An instance that was taken over gets its whole budget anew: nobody knows how often it was ready before. */
  private readonly budgetFromMs: number;

  constructor(options: LocalInstanceOptions) {
    this.options = options;
    this.probes = options.probes;
    this.address = `unix:${options.file.socketPath}`;
    this.health = createClient(HealthClient, this.address);
    this.budgetFromMs = options.child === undefined ? Date.now() : options.file.startedAtMs;
    if (options.file.readyAtMs !== undefined) {
      this.phase = 'ready';
      this.readyAtMs = options.file.readyAtMs;
      this.reason = undefined;
      this.placement = readStatus(options.instances, options.file.id)?.placement;
      this.readiness = { ...freshReadiness, passing: true };
    }
    options.child?.once('exit', (code, signal) => this.end({ exitCode: code, signal }));
  }

  /** Looks at it once, then goes on doing so. */
  async begin(): Promise<void> {
    await this.tick();
    this.schedule(startingTickMs);
  }

  get id(): string {
    return this.options.file.id;
  }
  get endpoint(): string {
    return this.options.file.endpoint;
  }
  get deployment(): string {
    return this.options.file.deployment;
  }
  get specDigest(): string {
    return this.options.file.specDigest;
  }
  get pid(): number {
    return this.options.file.pid;
  }
  get startTicks(): number {
    return this.options.file.startTicks;
  }
  get startedAtMs(): number {
    return this.options.file.startedAtMs;
  }
  get modelDigest(): string | undefined {
    return this.options.file.modelDigest;
  }

  useProbes(probes: Probes): void {
    this.probes = probes;
    const now = Date.now();
    for (const kind of ['readiness', 'liveness'] as const) {
      // One taken over is probed with patience until its own settings are known; it must not wait for that pause to end.
      this.due[kind] = Math.min(this.due[kind], now + probes[kind].periodS * 1_000);
    }
  }

  async stop(graceMs: number): Promise<void> {
    if (this.phase === 'ended') return;
    this.endedBecause ??= 'stopped by the controller';
    await endProcess(this.options.file, graceMs);
    if (this.options.child === undefined) this.end({ exitCode: null, signal: null });
    await this.gone.promise;
  }

  release(): void {
    this.released = true;
    clearTimeout(this.timer);
    this.options.child?.removeAllListeners('exit');
    this.health.close();
  }

  private schedule(afterMs: number): void {
    if (this.released || this.phase === 'ended') return;
    this.timer = setTimeout(() => {
      void this.tick().finally(() => this.schedule(this.phase === 'starting' ? startingTickMs : runningTickMs));
    }, afterMs);
  }

  private async tick(): Promise<void> {
    const { file, child, instances, logBytesMax } = this.options;
    if (child === undefined && !isAlive(file)) return this.end({ exitCode: null, signal: null });
    capLog(logFile(instances, file.id), logBytesMax);
    this.watchMemory();
    if (this.phase === 'starting') return this.watchStart();
    await this.probe();
  }

  private watchMemory(): void {
    const now = Date.now();
    if (now < this.due.memory) return;
    this.due.memory = now + memoryEveryMs;
    const bytes = residentBytesOfTree(this.pid);
    this.options.onMemory(this, bytes);
    const usedMib = bytes / 2 ** 20;
    const limitMib = this.options.file.limits.memoryMib;
    if (this.options.kernelLimitsMemory || usedMib <= limitMib) return;
    this.kill(`used ${mib(usedMib)}, over its memory limit of ${mib(limitMib)}`);
  }

  /** Ready = the status file and gRPC health both say so. */
  private async watchStart(): Promise<void> {
    const now = Date.now();
    const status = readStatus(this.options.instances, this.id);
    if (status?.state === 'failed') {
      this.failedAtMs ??= now;
      if (now - this.failedAtMs > failedGraceMs) this.kill(status.message ?? 'failed to load its model', 0);
      return;
    }
    const { readiness } = this.probes;
    if (status?.state === 'ready') {
      const ok = await this.check('', readiness.timeoutS);
      this.readiness = afterProbe(this.readiness, ok, readiness, { nowMs: Date.now(), startedAtMs: this.startedAtMs });
      if (this.readiness.passing && !this.isEnded()) return this.becomeReady();
    }
    if (now - this.budgetFromMs <= startBudgetMs(readiness) || this.isEnded()) return;
    this.kill(
      `was not ready within ${startBudgetMs(readiness) / 1_000} s (readiness_probe: initial_delay ${readiness.initialDelayS} s ` +
        `and ${readiness.failureThreshold} failures, one every ${readiness.periodS} s)`,
    );
  }

  private async probe(): Promise<void> {
    const times = { nowMs: Date.now(), startedAtMs: this.startedAtMs };
    const { readiness, liveness } = this.probes;
    if (times.nowMs >= this.due.liveness) {
      this.due.liveness = times.nowMs + liveness.periodS * 1_000;
      this.liveness = afterProbe(this.liveness, await this.check('liveness', liveness.timeoutS), liveness, times);
      if (!this.liveness.passing) {
        return this.kill(`failed its liveness probe ${liveness.failureThreshold} times in a row`);
      }
    }
    if (times.nowMs >= this.due.readiness && !this.isEnded()) {
      this.due.readiness = times.nowMs + readiness.periodS * 1_000;
      this.readiness = afterProbe(this.readiness, await this.check('', readiness.timeoutS), readiness, times);
      if (this.isEnded()) return;
      if (this.readiness.passing && this.phase === 'unready') this.becomeReady();
      else if (!this.readiness.passing && this.phase === 'ready') {
        this.change('unready', `failed its readiness probe ${readiness.failureThreshold} times in a row`);
      }
    }
  }

  private async check(service: string, timeoutS: number): Promise<boolean> {
    try {
      const answer = await this.health.call('check', { service }, { deadlineMs: timeoutS * 1_000 });
      return answer.status === serving;
    } catch {
      return false;
    }
  }

  private becomeReady(): void {
    this.readyAtMs ??= Date.now();
    this.placement ??= readStatus(this.options.instances, this.id)?.placement;
    this.change('ready', undefined);
  }

  private change(phase: InstanceHandle['phase'], reason: string | undefined): void {
    this.phase = phase;
    this.reason = reason;
    this.options.onChange(this);
  }

  private isEnded(): boolean {
    return this.phase === 'ended' || this.released;
  }

  private kill(because: string, graceMs = 2_000): void {
    if (this.endedBecause !== undefined) return;
    this.endedBecause = because;
    void this.stop(graceMs);
  }

  private end({ exitCode, signal }: { exitCode: number | null; signal: NodeJS.Signals | null }): void {
    if (this.phase === 'ended') return;
    clearTimeout(this.timer);
    this.health.close();
    const { file, instances, group } = this.options;
    const status = readStatus(instances, file.id);
    this.ended = {
      lastLines: lastLines(logFile(instances, file.id), reasonLines),
      ...(exitCode === null ? {} : { exitCode }),
      ...(signal === null ? {} : { signal }),
      ...(status === undefined ? {} : { status }),
      ...(this.endedBecause === undefined ? {} : { endedBecause: this.endedBecause }),
      ...((group?.outOfMemoryKills() ?? 0) > 0 ? { outOfMemoryLimitMib: file.limits.memoryMib } : {}),
    };
    // The controller stopping it is no reason of its own when the model said why it failed.
    if (this.ended.status?.state === 'failed') delete this.ended.endedBecause;
    this.gone.resolve();
    this.change('ended', undefined);
  }
}
