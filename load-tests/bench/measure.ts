import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Histogram } from './generator/histogram.ts';
import type { ClosedJob, Job, LoadResult, OpenJob, Target } from './generator/jobs.ts';
import type { LoopJob, LoopResult } from './limits/session-loop.ts';
import { httpRequest, payloads } from './payloads.ts';
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
  /** Cores that were busy with neither this benchmark nor its systems. */
  otherCores: number;
}

/** Runs loads from a process of its own, and watches the processes of the system meanwhile. */
export class Meter {
  readonly #context: Context;
  /** All processes of this benchmark, by which others are told apart. */
  readonly #ownRoots: () => number[];
  #generator: Child | undefined;
  readonly #loops: Child[] = [];
  #files = 0;

  constructor(context: Context, ownRoots: () => number[]) {
    this.#context = context;
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

  closed(job: Omit<ClosedJob, 'kind'>, roots: readonly number[]): Promise<Measured> {
    return this.#load({ kind: 'closed', ...job }, roots);
  }

  open(job: Omit<OpenJob, 'kind'>, roots: readonly number[]): Promise<Measured> {
    return this.#load({ kind: 'open', ...job }, roots);
  }

  /** The model in a loop, without a server, in one or several processes. */
  async loop({ model, processes }: Loop, times: { warmupMs: number; durationMs: number }): Promise<Measured> {
    const count = Math.min(processes, availableParallelism());
    while (this.#loops.length < count) this.#loops.push(await this.#module('session-loop', 'limits/session-loop.ts'));
    const { input, shape, data } = payloads[model];
    const job: LoopJob = {
      modelFile: this.#context.modelFile(model),
      input,
      shape: [...shape],
      data: [...data],
      ...times,
    };
    const running = this.#loops.slice(0, count);
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

  async stop(): Promise<void> {
    for (const child of [this.#generator, ...this.#loops]) await child?.stop(2_000);
  }

  async #load(job: Job, roots: readonly number[]): Promise<Measured> {
    this.#generator ??= await this.#module('load generator', 'generator/main.ts');
    const watch = this.#watch(roots);
    const limitMs = job.warmupMs + job.durationMs + job.timeoutMs + graceMs;
    const result = await this.#generator.ask<LoadResult>(job, limitMs, this.#context.signal);
    return { ...result, ...watch(result.sent) };
  }

  /** Begins to watch; the function that it returns ends it. */
  #watch(roots: readonly number[]): (requests: number) => Pick<Measured, 'cpuUs' | 'rssMib' | 'otherCores'> {
    const pids = withDescendants(roots);
    const own = withDescendants(this.#ownRoots());
    const before = { at: performance.now(), used: cpuSeconds(pids), own: cpuSeconds(own), busy: machineBusySeconds() };
    return (requests) => {
      const seconds = (performance.now() - before.at) / 1_000;
      const used = cpuSeconds(pids) - before.used;
      const others = machineBusySeconds() - before.busy - (cpuSeconds(own) - before.own);
      return {
        cpuUs: roots.length === 0 ? Number.NaN : (used * 1e6) / Math.max(1, requests),
        rssMib: rssMib(pids),
        otherCores: Math.max(0, others / seconds),
      };
    };
  }

  async #module(name: string, file: string): Promise<Child> {
    const child = Child.module(name, new URL(file, import.meta.url));
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
