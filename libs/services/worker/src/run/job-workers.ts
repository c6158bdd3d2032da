import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { jobFiles, jobKey } from '@mooring/batch-jobs';
import type { MiniBatchRunner } from '@mooring/batch-runtime';
import { readBatchSettings, type JobRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Watch } from '@mooring/messaging';
import type { ProcessLoad, Tracing } from '@mooring/telemetry';
import { allot } from '../domain/allot.ts';
import { OnlineLoad } from '../domain/online-load.ts';
import type { Jobs, Records, Troubles, Work } from '../ports.ts';
import { GiveWay } from './give-way.ts';
import { diskFull, JobProcess } from './job-process.ts';

export interface JobWorkersDeps {
  jobs: Jobs;
  records: Records;
  troubles: Troubles;
  work: Work;
  createRunner: (job: JobRecord) => Promise<MiniBatchRunner>;
  jobsFolder: string;
  /** Processes of all jobs together. */
  processesMax: number;
  /** Asks every process of the data plane for its load; rejects while that cannot be known. Absent: nothing gives way. */
  askLoad?: (() => Promise<ProcessLoad[]>) | undefined;
  /** How long the queue hears nothing of a mini-batch before it gives it to another. */
  ackWaitMs: number;
  worker: string;
  clock: () => Date;
  tracing: Tracing;
  log: Logger;
}

/** A job keeps its processes at least this long while others wait for one. */
const turnMs = 5_000;
const loadEveryMs = 1_000;
/** However busy the machine is, a mini-batch begins so long after the one before. */
const patienceMs = 60_000;
/** Loads that may fail one after the other before a job is taken for one that cannot run. */
const failuresMax = 3;

interface Running {
  job: JobRecord;
  processes: Set<JobProcess>;
  failures: number;
  /** When it last began to have processes; jobs that have had theirs longest come last. */
  sinceMs: number;
}

/**
 * The processes of a worker: none while nothing runs, shared fairly while several jobs do. Each online request that is being answered
 * takes the place of one of them: it begins no further mini-batch until there is room for it again.
 */
export class JobWorkers {
  readonly #deps: JobWorkersDeps;
  readonly #running = new Map<string, Running>();
  readonly #stop = new AbortController();
  readonly #load = new OnlineLoad();
  readonly #giveWay: GiveWay;
  #watch: Watch | undefined;
  #timers: NodeJS.Timeout[] = [];

  constructor(deps: JobWorkersDeps) {
    this.#deps = deps;
    const taken = (): number => this.#load.inFlight;
    this.#giveWay = new GiveWay({ places: deps.processesMax, taken, patienceMs });
  }

  async start(): Promise<void> {
    this.#watch = await this.#deps.jobs.watch({ prefix: 'job', signal: this.#stop.signal }, (key, entry) => {
      this.#note(key, entry?.value);
    });
    this.#timers = [
      setInterval(() => this.#share(), turnMs).unref(),
      setInterval(() => void this.#lookAround(), loadEveryMs).unref(),
    ];
  }

  /** Gives back what is being worked on and ends every process. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#watch?.stop();
    for (const timer of this.#timers) clearInterval(timer);
    const all = [...this.#running.values()].flatMap(({ processes }) => [...processes]);
    for (const process of all) process.stop();
    await Promise.allSettled(all.map(({ ended }) => ended));
  }

  #note(key: string, job: JobRecord | undefined): void {
    const known = this.#running.get(key);
    // A pipeline is run by its steps, which are jobs of their own.
    const runs = job?.status === 'Running' && job.pipeline === undefined;
    if (known !== undefined && (!runs || job.attempt !== known.job.attempt)) {
      for (const process of known.processes) process.stop();
      this.#running.delete(key);
    }
    if (!runs) return;
    const present = this.#running.get(key);
    if (present !== undefined) return;
    this.#running.set(key, { job, processes: new Set(), failures: 0, sinceMs: 0 });
    this.#share();
  }

  /** Nobody is asked while nothing runs. */
  async #lookAround(): Promise<void> {
    const { askLoad } = this.#deps;
    // What is not known is nothing, also because jobs would stand still for it.
    if (askLoad !== undefined && this.#running.size > 0)
      this.#load.note(await askLoad().catch(() => []), performance.now());
    this.#giveWay.look();
  }

  /** Makes the processes of each job as many as are its share. */
  #share(): void {
    if (this.#stop.signal.aborted) return;
    const jobs = [...this.#running.values()].toSorted((a, b) => this.#rank(a) - this.#rank(b));
    const demands = jobs.map(({ job: { name, settings, properties } }) => {
      const { priority } = readBatchSettings(properties).settings;
      return { job: name, priority, processesMax: settings.instanceCount * settings.maxConcurrencyPerInstance };
    });
    const shares = allot(demands, this.#deps.processesMax);
    for (const running of jobs) {
      const share = shares.get(running.job.name) ?? 0;
      const staying = [...running.processes].filter(({ leaving }) => !leaving);
      for (const process of staying.slice(share)) process.leave();
    }
    // Those that leave are still there: nothing begins before they are gone.
    let free = this.#deps.processesMax - jobs.reduce((sum, { processes }) => sum + processes.size, 0);
    for (const running of jobs) {
      const share = shares.get(running.job.name) ?? 0;
      while (free > 0 && [...running.processes].filter(({ leaving }) => !leaving).length < share) {
        this.#begin(running);
        free -= 1;
      }
    }
  }

  /** Jobs without processes before those that have just got theirs, those before the ones that had their turn. */
  #rank({ processes, sinceMs }: Running): number {
    if (processes.size === 0) return sinceMs === 0 ? 1 : performance.now() - sinceMs < turnMs ? 2 : 0;
    return performance.now() - sinceMs < turnMs ? -1 : 3;
  }

  #begin(running: Running): void {
    const { job } = running;
    const { work, records, jobsFolder, createRunner, ackWaitMs, worker, clock, tracing, log } = this.#deps;
    if (running.processes.size === 0) running.sinceMs = performance.now();
    const process = new JobProcess({
      job,
      files: jobFiles(jobsFolder, job.name),
      work,
      giveWay: this.#giveWay,
      records,
      createRunner: () => createRunner(job),
      onLoaded: () => (running.failures = 0),
      onTrouble: (error, signal) => this.#trouble(running, error, signal),
      ackWaitMs,
      worker,
      clock,
      tracing,
      log,
    });
    running.processes.add(process);
    void process.ended
      .catch((error: unknown) => log.warn({ err: error, job: job.name }, 'a process of a batch job ended badly'))
      .finally(() => {
        running.processes.delete(process);
        this.#share();
      });
  }

  async #trouble(running: Running, { code, reason, message }: PlatformError, signal: AbortSignal): Promise<void> {
    // That the disk is full is no fault of the job's, and passes.
    if (reason !== diskFull) running.failures += 1;
    const final = code === 'invalid_argument' || code === 'failed_precondition' || running.failures >= failuresMax;
    if (final) await this.#tell(running.job, { code: reason, message });
    // Before the next try; where there shall be none, the scheduler has heard of it by then.
    await setTimeout(turnMs, undefined, { signal }).catch(() => undefined);
  }

  /** What cannot be told now is told by the next process that cannot be loaded. */
  async #tell({ name, attempt }: JobRecord, trouble: { code: string; message: string }): Promise<void> {
    try {
      await this.#deps.troubles.put(`${jobKey(name)}.trouble`, { attempt, ...trouble });
    } catch (error) {
      this.#deps.log.warn({ err: error, job: name }, 'that a batch job cannot run could not be told; trying again');
    }
  }
}
