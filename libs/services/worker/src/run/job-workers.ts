import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { jobFiles, jobKey } from '@mooring/batch-jobs';
import type { MiniBatchRunner } from '@mooring/batch-runtime';
import type { JobRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Watch } from '@mooring/messaging';
import type { ProcessLoad, Tracing } from '@mooring/telemetry';
import { allot } from '../domain/allot.ts';
import { demandOf } from '../domain/demand-of.ts';
import { OnlineLoad } from '../domain/online-load.ts';
import { comesFirst, noTurn, turnLengthMs, type Turn } from '../domain/turn.ts';
import type { Jobs, Records, Troubles, Work } from '../ports.ts';
import { GiveWay } from './give-way.ts';
import { diskFull, JobProcess } from './job-process.ts';

export interface JobWorkersDeps {
  jobs: Jobs;
  records: Records;
  troubles: Troubles;
  work: Work;
  createRunner: (job: JobRecord, signal: AbortSignal) => Promise<MiniBatchRunner>;
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

/** Whose turn it is changes while nothing happens, too. */
const shareEveryMs = 2_500;
/** Between a process that could not be loaded and the next try. */
const restMs = 5_000;
const loadEveryMs = 1_000;
/** However busy the machine is, a mini-batch begins so long after the one before. */
const patienceMs = 60_000;
/** Loads that may fail one after the other before a job is taken for one that cannot run. */
const failuresMax = 3;

interface Running {
  job: JobRecord;
  processes: Set<JobProcess>;
  /** Those of them that still load. */
  loading: Set<JobProcess>;
  failures: number;
  turn: Pick<Turn, 'sinceMs' | 'lengthMs' | 'endedMs'>;
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
      setInterval(() => this.#share(), shareEveryMs).unref(),
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
    if (present !== undefined) {
      present.job = job;
      return;
    }
    this.#running.set(key, { job, processes: new Set(), loading: new Set(), failures: 0, turn: noTurn });
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
    const nowMs = performance.now();
    const jobs = [...this.#running.values()].toSorted((a, b) => comesFirst(turnOf(a), turnOf(b), nowMs));
    const demands = jobs.map(({ job }) => demandOf(job));
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

  #begin(running: Running): void {
    const { job } = running;
    const { work, records, jobsFolder, createRunner, ackWaitMs, worker, clock, tracing, log } = this.#deps;
    const beganMs = performance.now();
    const process: JobProcess = new JobProcess({
      job,
      files: jobFiles(jobsFolder, job.name),
      work,
      giveWay: this.#giveWay,
      records,
      createRunner: (signal) => createRunner(job, signal),
      onLoaded: () => {
        const nowMs = performance.now();
        running.failures = 0;
        running.loading.delete(process);
        running.turn = { ...running.turn, sinceMs: nowMs, lengthMs: turnLengthMs(nowMs - beganMs) };
      },
      onTrouble: (error, signal) => this.#trouble(running, error, signal),
      ackWaitMs,
      worker,
      clock,
      tracing,
      log,
    });
    running.processes.add(process);
    running.loading.add(process);
    void process.ended
      .catch((error: unknown) => log.warn({ err: error, job: job.name }, 'a process of a batch job ended badly'))
      .finally(() => {
        running.processes.delete(process);
        running.loading.delete(process);
        running.turn = { ...running.turn, endedMs: performance.now() };
        this.#share();
      });
  }

  async #trouble(running: Running, { code, reason, message }: PlatformError, signal: AbortSignal): Promise<void> {
    // That the disk is full is no fault of the job's, and passes.
    if (reason !== diskFull) running.failures += 1;
    const final = code === 'invalid_argument' || code === 'failed_precondition' || running.failures >= failuresMax;
    if (final) await this.#tell(running.job, { code: reason, message });
    // Before the next try; where there shall be none, the scheduler has heard of it by then.
    await setTimeout(restMs, undefined, { signal }).catch(() => undefined);
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

function turnOf({ processes, loading, turn }: Running): Turn {
  return { ...turn, processes: processes.size, loading: loading.size };
}
