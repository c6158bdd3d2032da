import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Histogram } from './generator/histogram.ts';
import type { ClosedJob, LoadResult, OpenJob, Target } from './generator/jobs.ts';
import type { LoopJob, LoopResult } from './limits/session-loop.ts';
import { httpRequest, payloads, type ModelName } from './payloads.ts';
import { between, type Reading, type Watched } from './machine-use.ts';
import { Child } from './processes/child.ts';
import { cpuSeconds, machineBusySeconds, rssMib, withDescendants } from './processes/proc.ts';
import type { Context, Loop, Shot } from './systems/system.ts';

const startMs = 20_000;
/** Beyond what a job itself may take. */
const graceMs = 30_000;
/** The generator's first request is due so long after it was asked. */
const openStartMs = 100;

/** A load's result with what the machine did meanwhile. */
export type Measured = LoadResult & Watched;

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

  /** A result for each phase, with what the machine did in it; the last one's includes the answers that came behind it. */
  async open(job: Omit<OpenJob, 'kind'>, roots: readonly number[]): Promise<Measured[]> {
    const limitMs = job.phases.reduce((sum, { durationMs }) => sum + durationMs, 0) + job.timeoutMs + graceMs;
    const generator = await this.#ready();
    const read = this.#reader(roots);
    const marks = [read()];
    let endsMs = openStartMs;
    const timers = job.phases.slice(0, -1).map(({ durationMs }) => {
      endsMs += durationMs;
      return setTimeout(() => marks.push(read()), endsMs);
    });
    try {
      const results = await generator.ask<LoadResult[]>({ kind: 'open', ...job }, limitMs, this.#context.signal);
      marks.push(read());
      return results.map((result, phase) => ({
        ...result,
        ...between(marks[phase] as Reading, marks[phase + 1] as Reading, result.sent),
      }));
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
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
  #watch(roots: readonly number[]): (requests: number) => Watched {
    const read = this.#reader(roots);
    const before = read();
    return (requests) => between(before, read(), requests);
  }

  /** Reads what the processes of now have used so far. */
  #reader(roots: readonly number[]): () => Reading {
    const pids = withDescendants(roots);
    const own = withDescendants(this.#ownRoots());
    const generator = this.#generator === undefined ? [] : [this.#generator.pid];
    return () => ({
      at: performance.now(),
      used: roots.length === 0 ? Number.NaN : cpuSeconds(pids),
      rssMib: rssMib(pids),
      own: cpuSeconds(own),
      generator: cpuSeconds(generator),
      busy: machineBusySeconds(),
    });
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
