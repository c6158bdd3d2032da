import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { readBatchSettings, type JobRecord } from '@mooring/domain';
import type { Watch } from '@mooring/messaging';
import { isActive, moved } from '../domain/job-state.ts';
import type { Jobs } from '../ports.ts';
import type { JobBook } from './job-book.ts';

export interface JobLoopDeps {
  book: JobBook;
  jobs: Pick<Jobs, 'watch'>;
  /** Takes one job as far as it goes; see runJob. */
  run: (name: string, signal: AbortSignal) => Promise<void>;
  /** Jobs that are worked on at once; the others wait, by priority and then in the order in which they came. */
  activeMax: number;
  clock: () => Date;
  log: Logger;
}

/** Jobs of pipelines that are under way at once, apart from their steps. */
const pipelinesMax = 64;
const firstRetryMs = 200;
const longestRetryMs = 5_000;

/** The queued ones of `jobs`: by priority, then in the order in which they came. */
function queueOf(jobs: readonly JobRecord[]): JobRecord[] {
  return jobs
    .filter(({ status }) => status === 'Queued')
    .map((job) => ({ job, priority: readBatchSettings(job.properties).settings.priority }))
    .toSorted((a, b) => b.priority - a.priority || compare(a.job.since, b.job.since) || compare(a.job.name, b.job.name))
    .map(({ job }) => job);
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Keeps every job that should run running, and lets the next ones begin when others end. */
export class JobLoop {
  readonly #deps: JobLoopDeps;
  readonly #stop = new AbortController();
  readonly #jobs = new Map<string, JobRecord>();
  readonly #running = new Map<string, Promise<void>>();
  #watch: Watch | undefined;
  #positions: ReadonlyMap<string, number> | undefined;
  #looking: Promise<void> | undefined;
  #again = false;

  constructor(deps: JobLoopDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#watch = await this.#deps.jobs.watch({ prefix: 'job', signal: this.#stop.signal }, (key, entry) => {
      if (entry === undefined) this.#jobs.delete(key);
      else this.#jobs.set(key, entry.value);
      this.#positions = undefined;
      this.#look();
    });
  }

  /** As they were told of last. */
  all(): Iterable<JobRecord> {
    return this.#jobs.values();
  }

  /** How many jobs are before each one that is queued, by names. */
  positions(): ReadonlyMap<string, number> {
    this.#positions ??= new Map(
      this.#kinds().flatMap(({ jobs }) => queueOf(jobs).map(({ name }, before) => [name, before] as const)),
    );
    return this.#positions;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#watch?.stop();
    await Promise.all([...this.#running.values(), this.#looking]);
  }

  /** Everything is looked at again; asked while it looks, once more afterwards. */
  #look(): void {
    if (this.#stop.signal.aborted) return;
    this.#again = true;
    this.#looking ??= this.#lookUntilQuiet().finally(() => {
      this.#looking = undefined;
      // Asked between its last look and now.
      if (this.#again) this.#look();
    });
  }

  async #lookUntilQuiet(): Promise<void> {
    // Not in the stack of whoever told of a change, and all that it tells in this turn at once.
    await Promise.resolve();
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false;
      for (const job of this.#jobs.values()) if (isActive(job)) this.#keepRunning(job.name);
      try {
        await this.#admit();
      } catch (error) {
        this.#deps.log.warn({ err: error }, 'queued batch jobs could not be looked at; trying again');
        this.#again = true;
        await setTimeout(firstRetryMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      }
    }
  }

  /** A pipeline only waits for its steps, which need the room that it would take. */
  #kinds(): { jobs: JobRecord[]; activeMax: number }[] {
    const { pipelines = [], others = [] } = Object.groupBy(this.#jobs.values(), ({ pipeline }) =>
      pipeline === undefined ? 'others' : 'pipelines',
    );
    return [
      { jobs: others, activeMax: this.#deps.activeMax },
      { jobs: pipelines, activeMax: pipelinesMax },
    ];
  }

  /** Lets the first in the queue begin while there is room. */
  async #admit(): Promise<void> {
    const { book, clock } = this.#deps;
    for (const { jobs, activeMax } of this.#kinds()) {
      const room = activeMax - jobs.filter(isActive).length;
      if (room <= 0) continue;
      for (const { name } of queueOf(jobs).slice(0, room)) {
        await book.change(name, (job) => (job.status === 'Queued' ? moved(job, 'Preparing', clock()) : undefined));
      }
    }
  }

  #keepRunning(name: string): void {
    if (this.#running.has(name)) return;
    const run = this.#runUntilDone(name).finally(() => {
      this.#running.delete(name);
      this.#look();
    });
    this.#running.set(name, run);
  }

  async #runUntilDone(name: string): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await this.#deps.run(name, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const retryMs = Math.min(longestRetryMs, firstRetryMs * 2 ** failures);
        this.#deps.log.warn({ err: error, job: name, retryMs }, 'batch job cannot go on for now; trying again');
        // Cut short, the loop's own condition ends it.
        await setTimeout(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
