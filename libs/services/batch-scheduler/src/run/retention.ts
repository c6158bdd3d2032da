import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import { jobFiles, jobKey, type MiniBatchRecords } from '@mooring/batch-jobs';
import type { JobRecord } from '@mooring/domain';
import { jobStoreKey } from '../domain/job-name.ts';
import { hasEnded } from '../domain/job-state.ts';
import type { Jobs } from '../ports.ts';
import type { JobBook } from './job-book.ts';

export interface RetentionDeps {
  book: JobBook;
  jobs: Pick<Jobs, 'delete'>;
  records: Pick<MiniBatchRecords, 'purge'>;
  jobsFolder: string;
  /** Days for which an ended job's files and records are kept: parts, listing, logs. Its output is the user's, and stays. */
  filesKeptDays: number;
  /** Days for which its document is kept; what it wrote cannot be verified afterwards. */
  jobsKeptDays: number;
  clock: () => Date;
  log: Logger;
}

const lookEveryMs = 3_600_000;
const dayMs = 86_400_000;

/** Clears away what ended jobs leave behind, once they are old enough. */
export class Retention {
  readonly #deps: RetentionDeps;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: RetentionDeps) {
    this.#deps = deps;
  }

  start(): void {
    const look = (): void => {
      this.#looking ??= this.look()
        .catch((error: unknown) => {
          this.#deps.log.warn({ err: error }, 'ended batch jobs could not be cleared away; trying again in an hour');
        })
        .finally(() => (this.#looking = undefined));
    };
    this.#timer = setInterval(look, lookEveryMs).unref();
    look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Looks at all jobs once. */
  async look(): Promise<void> {
    const { book, jobs, filesKeptDays, jobsKeptDays, log } = this.#deps;
    const all = await book.all();
    const named = new Map(all.map((job) => [job.name, job]));
    for (const job of all) {
      if (this.#stopped) return;
      // A step is kept as long as the job that it is of, which may be resumed.
      const whole = (job.step && named.get(job.step.job)) ?? job;
      const isOld = (days: number): boolean => this.#endedBefore(job, days) && this.#endedBefore(whole, days);
      try {
        if (isOld(filesKeptDays)) await this.#removeFiles(job);
        if (isOld(Math.max(filesKeptDays, jobsKeptDays))) await jobs.delete(jobStoreKey(job.name));
      } catch (error) {
        // The others are no worse for it.
        log.warn(
          { err: error, job: job.name },
          'an ended batch job could not be cleared away; trying again in an hour',
        );
      }
    }
  }

  #endedBefore(job: JobRecord, days: number): boolean {
    const { endedAt } = job;
    return hasEnded(job) && endedAt !== undefined && this.#deps.clock().getTime() - Date.parse(endedAt) >= days * dayMs;
  }

  /** First it is written down, so that nobody resumes the job meanwhile; what a crash leaves behind is removed next time. */
  async #removeFiles({ name, filesRemovedAt }: JobRecord): Promise<void> {
    const { book, records, jobsFolder, filesKeptDays, clock, log } = this.#deps;
    const { root } = jobFiles(jobsFolder, name);
    if (filesRemovedAt !== undefined && !existsSync(root)) return;
    const job = await book.change(name, (now) => {
      const stays = now.filesRemovedAt !== undefined || !this.#endedBefore(now, filesKeptDays);
      return stays ? undefined : { ...now, filesRemovedAt: clock().toISOString() };
    });
    if (job.filesRemovedAt === undefined) return;
    await records.purge(jobKey(name));
    await rm(root, { recursive: true, force: true });
    log.info({ job: name }, 'the work files of an ended batch job were removed');
  }
}
