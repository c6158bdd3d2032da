import { withoutQuery, type JobRecord, type JobStatus } from '@mooring/domain';

const ended: ReadonlySet<JobStatus> = new Set(['Completed', 'Failed', 'Canceled']);
const active: ReadonlySet<JobStatus> = new Set(['Preparing', 'Running', 'Finalizing', 'CancelRequested']);

/** Its input may have to be fetched. */
const early: ReadonlySet<JobStatus> = new Set(['Queued', 'Preparing']);

/** Nothing happens to it any more unless somebody resumes it. */
export function hasEnded({ status }: Pick<JobRecord, 'status'>): boolean {
  return ended.has(status);
}

/** It is being worked on, so it counts among the jobs that run at once. */
export function isActive({ status }: Pick<JobRecord, 'status'>): boolean {
  return active.has(status);
}

/** The job in another status, with the times that go with it. What signs an address of the web is kept until the file was fetched. */
export function moved(job: JobRecord, status: JobStatus, at: Date, rest: Partial<JobRecord> = {}): JobRecord {
  const now = at.toISOString();
  const { itemsPerS: _rate, etaS: _eta, ...progress } = job.progress;
  return {
    ...job,
    ...(status === 'Preparing' && job.startedAt === undefined ? { startedAt: now } : {}),
    ...(ended.has(status) ? { endedAt: now } : {}),
    progress,
    input: early.has(status) ? job.input : { ...job.input, uri: withoutQuery(job.input.uri) },
    ...rest,
    status,
    since: now,
  };
}

/** What a wish to cancel makes of a job; undefined where it changes nothing. */
export function canceled(job: JobRecord, at: Date): JobRecord | undefined {
  if (hasEnded(job) || job.status === 'CancelRequested' || job.status === 'Finalizing') return undefined;
  const begun = job.listing !== undefined || job.status === 'Preparing';
  return moved(job, begun ? 'CancelRequested' : 'Canceled', at);
}

/** A job that ended, begun once more: what is done stays done. */
export function resumed(job: JobRecord, at: Date): JobRecord {
  const { error: _error, ending: _ending, endedAt: _ended, repairs: _repairs, ...rest } = job;
  return moved({ ...rest, attempt: job.attempt + 1, pushedTo: 0, usedBefore: job.usage }, 'Queued', at);
}
