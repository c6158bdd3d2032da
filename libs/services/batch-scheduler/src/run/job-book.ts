import type { JobRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Entry } from '@mooring/messaging';
import { jobStoreKey } from '../domain/job-name.ts';
import type { Jobs } from '../ports.ts';

/** Somebody else changes a document at most a few times a second. */
const triesMax = 20;

/** The documents of jobs, changed by compare and set. */
export interface JobBook {
  /** Rejects with `not_found`. */
  get(name: string): Promise<JobRecord>;
  find(name: string): Promise<JobRecord | undefined>;
  /** The document that is there now: this one, or the one that was there before. */
  create(job: JobRecord): Promise<{ job: JobRecord; created: boolean }>;
  /** Writes what `change` makes of the present document; undefined from it leaves it. Gives the document that is there then. */
  change(name: string, change: (job: JobRecord) => JobRecord | undefined): Promise<JobRecord>;
  all(): Promise<JobRecord[]>;
}

/** `onMoved` hears of each change of a status, once it is stored. */
export function createJobBook(jobs: Jobs, onMoved?: (before: JobRecord, after: JobRecord) => void): JobBook {
  const entryOf = async (name: string): Promise<Entry<JobRecord>> => {
    const entry = await jobs.get(jobStoreKey(name));
    if (entry !== undefined) return entry;
    throw new PlatformError(
      'not_found',
      'JOB_NOT_FOUND',
      `there is no job '${name}'; \`mooring job list\` shows those that are there`,
    );
  };
  return {
    get: async (name) => (await entryOf(name)).value,
    find: async (name) => (await jobs.get(jobStoreKey(name)))?.value,
    create: async (job) => {
      try {
        await jobs.create(jobStoreKey(job.name), job);
        return { job, created: true };
      } catch (thrown) {
        if (PlatformError.from(thrown).code !== 'already_exists') throw thrown;
        return { job: (await entryOf(job.name)).value, created: false };
      }
    },
    change: async (name, change) => {
      for (let tries = 0; tries < triesMax; tries += 1) {
        const { value, revision } = await entryOf(name);
        const next = change(value);
        if (next === undefined) return value;
        try {
          await jobs.update(jobStoreKey(name), next, revision);
          if (next.status !== value.status) onMoved?.(value, next);
          return next;
        } catch (thrown) {
          if (PlatformError.from(thrown).code !== 'aborted') throw thrown;
        }
      }
      throw new PlatformError('unavailable', 'JOB_BUSY', `job '${name}' is being changed by others; try again`, {
        retryAfterMs: 1_000,
      });
    },
    all: async () => [...(await jobs.list('job')).values()].map(({ value }) => value),
  };
}
