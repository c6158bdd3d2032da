import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Histogram } from './generator/histogram.ts';
import type { ClosedJob, LoadResult, OpenJob, Target } from './generator/jobs.ts';
import type { LoopJob, LoopResult } from './limits/session-loop.ts';
import { httpRequest, payloads, type ModelName } from './payloads.ts';
import { Child } from './processes/child.ts';
import { cpuSeconds, machineBusySeconds, rssMib, withDescendants } from './processes/proc.ts';
import type { Context, Loop, Shot } from './systems/system.ts';

const startMs = 20_000;
/** Beyond what a job itself may take. */
const graceMs = 30_000;

/** A load's result with what the machine did meanwhile. */
export interface Measured extends LoadResult {
  /** CPU of all processes of the system for each request; NaN when it has none of its own. */
  cpuUs: number;
  rssMib: number;
  /** Cores that the load generator took, of the same machine. */
  generatorCores: number;
  /** Cores that were busy with neither this benchmark nor its systems. */
  otherCores: number;
}

/** Other load generators for closed loops, by protocol. */
export type Foreign = Partial<Record<Target['protocol'], (job: ClosedJob, signal: AbortSignal) => Promise<LoadResult>>>;

/** Runs loads from a process of its own, and watches the processes of the system meanwhile. */
export class Meter {
  readonly #context: Context;
  /** All processes of this benchmark, by which others are told apart. */
  readonly #ownRoots: () => number[];
  readonly #foreign: Foreign;
  #generator: Child | undefined;
  readonly #loops: Child[] = [];
  #files = 0;

  constructor(context: Context, ownRoots: () => number[], foreign: Foreign = {}) {
    this.#context = context;
    this.#foreign = foreign;
    this.#ownRoots = ownRoots;
  }

  target(shot: Shot): Target {
    const requestFile = join(this.#context.temp, `request-${(this.#files += 1)}`);
    const { host, port, path, headers, body } = shot;
    if (shot.protocol === 'grpc') {
      writeFileSync(requestFile, body);
      return { protocol: 'grpc', host, port, path, metadata: { ...headers }, requestFile };
    }
    writeFileSync(requestFile, httpRequest(path, `${host}:${port}`, headers, body));
    return { protocol: 'http', host, port, requestFile };
  }

  async closed(job: Omit<ClosedJob, 'kind'>, roots: readonly number[]): Promise<Measured> {
    const limitMs = job.warmupMs + job.durationMs + job.timeoutMs + graceMs;
    const foreign = this.#foreign[job.target.protocol];
    const generator = foreign === undefined ? await this.#ready() : undefined;
    const whole: ClosedJob = { kind: 'closed', ...job };
    const watch = this.#watch(roots);
    const { signal } = this.#context;
    const result = await (foreign?.(whole, signal) ?? generator?.ask<LoadResult>(whole, limitMs, signal));
    if (result === undefined) throw new Error('no load generator');
    return { ...result, ...watch(result.sent) };
  }

  /** A result for each phase; what the machine did is that of all together. */
  async open(job: Omit<OpenJob, 'kind'>, roots: readonly number[]): Promise<Measured[]> {
    const limitMs = job.phases.reduce((sum, { durationMs }) => sum + durationMs, 0) + job.timeoutMs + graceMs;
    const generator = await this.#ready();
    const watch = this.#watch(roots);
    const results = await generator.ask<LoadResult[]>({ kind: 'open', ...job }, limitMs, this.#context.signal);
    const watched = watch(results.reduce((sum, { sent }) => sum + sent, 0));
    return results.map((result) => ({ ...result, ...watched }));
  }

  /** The model in a loop, without a server, in one or several processes. */
  async loop({ model, processes }: Loop, times: { warmupMs: number; durationMs: number }): Promise<Measured> {
    const count = Math.min(processes, availableParallelism());
    const running = await this.#loopProcesses(count);
    const job = this.#loopJob(model, times);
    const watch = this.#watch([]);
    const limitMs = times.warmupMs + times.durationMs + graceMs;
    const results = await Promise.all(
      running.map((child) => child.ask<LoopResult>(job, limitMs, this.#context.signal)),
    );
    const latencies = new Histogram();
    for (const { buckets, maxMs } of results) latencies.merge(buckets, maxMs);
    const runs = results.reduce((sum, result) => sum + result.runs, 0);
    return {
      ...noLoad,
      sent: runs,
      good: latencies.total,
      seconds: times.durationMs / 1_000,
      p50Ms: latencies.quantileMs(0.5),
      p99Ms: latencies.quantileMs(0.99),
      maxMs: latencies.maxMs,
      ...watch(runs),
      cpuUs: results.reduce((sum, result) => sum + result.cpuUs, 0) / Math.max(1, runs),
      rssMib: rssMib(running.map(({ pid }) => pid)),
    };
  }

  /** What a bare session.run answers to the model's payload. */
  async expected(model: ModelName): Promise<number[]> {
    const [child] = await this.#loopProcesses(1);
    const job = this.#loopJob(model, { warmupMs: 0, durationMs: 0 });
    return (await child?.ask<LoopResult>(job, graceMs, this.#context.signal))?.values ?? [];
  }

  async stop(): Promise<void> {
    for (const child of [this.#generator, ...this.#loops]) await child?.stop(2_000);
  }

  async #loopProcesses(count: number): Promise<Child[]> {
    while (this.#loops.length < count) this.#loops.push(await this.#module('session-loop', 'limits/session-loop.ts'));
    return this.#loops.slice(0, count);
  }

  #loopJob(model: ModelName, times: { warmupMs: number; durationMs: number }): LoopJob {
    const { input, shape, data, output } = payloads[model];
    return { modelFile: this.#context.modelFile(model), input, shape: [...shape], data: [...data], output, ...times };
  }

  async #ready(): Promise<Child> {
    return (this.#generator ??= await this.#module('load generator', 'generator/main.ts'));
  }

  /** Begins to watch; the function that it returns ends it. */
  #watch(
    roots: readonly number[],
  ): (requests: number) => Pick<Measured, 'cpuUs' | 'rssMib' | 'generatorCores' | 'otherCores'> {
    const pids = withDescendants(roots);
    const own = withDescendants(this.#ownRoots());
    const generator = this.#generator === undefined ? [] : [this.#generator.pid];
    const before = {
      at: performance.now(),
      used: cpuSeconds(pids),
      own: cpuSeconds(own),
      generator: cpuSeconds(generator),
      busy: machineBusySeconds(),
    };
    return (requests) => {
      const seconds = (performance.now() - before.at) / 1_000;
      const used = cpuSeconds(pids) - before.used;
      const others = machineBusySeconds() - before.busy - (cpuSeconds(own) - before.own);
      return {
        cpuUs: roots.length === 0 ? Number.NaN : (used * 1e6) / Math.max(1, requests),
        rssMib: rssMib(pids),
        generatorCores: (cpuSeconds(generator) - before.generator) / seconds,
        otherCores: Math.max(0, others / seconds),
      };
    };
  }

  async #module(name: string, file: string): Promise<Child> {
    const child = Child.module(name, new URL(file, import.meta.url), this.#context.environment);
    await child.message(startMs, this.#context.signal);
    return child;
  }
}

const noLoad: LoadResult = {
  sent: 0,
  good: 0,
  seconds: 0,
  p50Ms: Number.NaN,
  p99Ms: Number.NaN,
  maxMs: Number.NaN,
  statuses: {},
  unexplained: 0,
  refusedP99Ms: Number.NaN,
  dropped: 0,
  lagP99Ms: Number.NaN,
  trouble: '',
  generatorCpuUs: 0,
  slices: [],
};
