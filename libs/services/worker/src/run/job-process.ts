import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { MiniBatchRunner } from '@mooring/batch-runtime';
import { jobKey, type JobFiles } from '@mooring/batch-jobs';
import type { JobRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Tracing } from '@mooring/telemetry';
import type { Records, Work } from '../ports.ts';
import type { GiveWay } from './give-way.ts';
import { givenBackMs, scoreMiniBatch } from './score-mini-batch.ts';

export interface JobProcessDeps {
  job: JobRecord;
  files: JobFiles;
  work: Work;
  giveWay: GiveWay;
  records: Records;
  createRunner: (signal: AbortSignal) => Promise<MiniBatchRunner>;
  onLoaded: () => void;
  /** The process could not be loaded; what it was is for people. Another may be tried when it resolves; `signal`: at once. */
  onTrouble: (error: PlatformError, signal: AbortSignal) => Promise<void>;
  ackWaitMs: number;
  worker: string;
  clock: () => Date;
  tracing: Tracing;
  log: Logger;
}

const takeMs = 1_000;
const retryMs = 1_000;
const stopMs = 10_000;

/**
 * One process of one job: takes mini-batches and runs them until it is told to leave (it finishes the one that it has) or to stop (it does
 * not).
 */
export class JobProcess {
  readonly #deps: JobProcessDeps;
  readonly #leave = new AbortController();
  readonly #stop = new AbortController();
  readonly ended: Promise<void>;

  constructor(deps: JobProcessDeps) {
    this.#deps = deps;
    this.ended = this.#serve();
  }

  get leaving(): boolean {
    return this.#leave.signal.aborted;
  }

  leave(): void {
    this.#leave.abort();
  }

  stop(): void {
    this.#leave.abort();
    this.#stop.abort(new PlatformError('cancelled', 'JOB_PROCESS_STOPPED', 'the job ends or its worker stops'));
  }

  async #serve(): Promise<void> {
    const runner = await this.#load();
    if (runner === undefined) return;
    try {
      while (!this.leaving) {
        const restMs = await this.#next(runner);
        // Told to leave meanwhile, it leaves.
        if (restMs > 0) await setTimeout(restMs, undefined, { signal: this.#leave.signal }).catch(() => undefined);
      }
    } finally {
      await runner.stop(this.#stop.signal.aborted ? AbortSignal.abort() : AbortSignal.timeout(stopMs));
    }
  }

  /** Tells what is in the way, once; whoever hears of it decides whether the job goes on. */
  async #load(): Promise<MiniBatchRunner | undefined> {
    const { createRunner, onLoaded, onTrouble, log, job } = this.#deps;
    let runner: MiniBatchRunner | undefined;
    try {
      runner = await createRunner(this.#stop.signal);
      await runner.start(this.#stop.signal);
      onLoaded();
      return runner;
    } catch (thrown) {
      await runner?.stop(AbortSignal.abort());
      if (this.#stop.signal.aborted) return undefined;
      const error = loadError(thrown);
      log.warn({ err: error, job: job.name }, 'a process of a batch job could not be loaded');
      await onTrouble(error, this.#stop.signal);
      return undefined;
    }
  }

  /** Gives how long to wait before the next one. */
  async #next(runner: MiniBatchRunner): Promise<number> {
    const leaveWay = await this.#deps.giveWay.enter(this.#leave.signal);
    if (leaveWay === undefined) return 0;
    const { work, records, job, files, ackWaitMs, worker, clock, tracing, log } = this.#deps;
    try {
      const item = await work.take(jobKey(job.name), takeMs);
      if (item === undefined) return 0;
      // Of an earlier attempt, or for somebody who leaves.
      if (item.value.attempt !== job.attempt || this.leaving) {
        item.giveBack(0);
        return 0;
      }
      const deps = { records, files, job, runner, ackWaitMs, worker, clock, tracing, log };
      const finished = await scoreMiniBatch(deps, item, this.#stop.signal);
      return finished ? 0 : givenBackMs;
    } catch (thrown) {
      if (this.leaving) return 0;
      log.warn({ err: thrown, job: job.name }, 'no mini-batch could be taken; trying again');
      return retryMs;
    } finally {
      leaveWay();
    }
  }
}

/** Reason of a process that could not be loaded because there was no room for its files. */
export const diskFull = 'DISK_FULL';

function loadError(thrown: unknown): PlatformError {
  if (!['ENOSPC', 'EDQUOT'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return PlatformError.from(thrown);
  const message = 'the disk has no room for the files of the job; free some space, and it goes on by itself';
  return new PlatformError('unavailable', diskFull, message, { cause: thrown });
}
