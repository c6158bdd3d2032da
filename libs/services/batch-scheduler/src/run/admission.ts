import type { JobOutput, JobRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { hasEnded } from '../domain/job-state.ts';

export interface AdmissionOptions {
  /** All jobs, as they were told of last. */
  jobs: () => Iterable<JobRecord>;
  queuedMax: number;
}

/** Jobs are told of a moment after they were made: far fewer are made in it. */
const recentMax = 10_000;
const retryAfterMs = 60_000;

/** Which jobs are taken: none beyond what the queue holds, and none that would write where another one does. */
export class Admission {
  readonly #options: AdmissionOptions;
  /** Names by places. */
  readonly #recent = new Map<string, string>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Throws `resource_exhausted` / JOB_QUEUE_FULL. */
  checkRoom(): void {
    const { jobs, queuedMax } = this.#options;
    let queued = 0;
    for (const { status } of jobs()) if (status === 'Queued') queued += 1;
    if (queued < queuedMax) return;
    const message = `${queued} jobs are queued, and no more are taken: wait until some have begun, or cancel some (MOORING_BATCH_SCHEDULER_QUEUED_JOBS_MAX)`;
    throw new PlatformError('resource_exhausted', 'JOB_QUEUE_FULL', message, { retryAfterMs });
  }

  /** Keeps the places of a job that is about to be made or resumed. Throws `already_exists` / OUTPUT_EXISTS. */
  claim(job: JobRecord): void {
    const places = placesOf(job);
    const known = new Set<string>();
    for (const other of this.#options.jobs()) {
      known.add(other.name);
      if (other.name === job.name || !holdsPlaces(other)) continue;
      for (const place of placesOf(other)) {
        if (places.has(place) || (!hasEnded(other) && isBelow(job, places, place))) throw taken(place, other.name);
      }
    }
    for (const place of places) {
      const recent = this.#recent.get(place) ?? job.name;
      if (recent !== job.name && !known.has(recent)) throw taken(place, recent);
    }
    for (const place of places) this.#recent.set(place, job.name);
    for (const place of this.#recent.keys()) {
      if (this.#recent.size <= recentMax) break;
      this.#recent.delete(place);
    }
  }

  /** Of a job that could not be made. */
  release(job: JobRecord): void {
    for (const place of placesOf(job)) this.#recent.delete(place);
  }
}

/** One that ended before its input was listed has written nothing. */
function holdsPlaces(job: JobRecord): boolean {
  return !hasEnded(job) || job.listing !== undefined;
}

function placesOf({ output, pipeline }: JobRecord): ReadonlySet<string> {
  const all: JobOutput[] = [output, ...Object.values(pipeline?.outputs ?? {})];
  return new Set(all.map(({ container, folder }) => `${container}/${folder}`));
}

/** What would stand in the way of another's files. The places that jobs have unasked are theirs, wherever others write to. */
function isBelow({ name }: JobRecord, places: ReadonlySet<string>, place: string): boolean {
  return [...places].some((own) => own.startsWith(`${place}/`) && !`${own}/`.includes(`/azureml/${name}/`));
}

function taken(place: string, by: string): PlatformError {
  const message = `job '${by}' writes to ${place}, and what it writes is not overwritten; choose another folder`;
  return new PlatformError('already_exists', 'OUTPUT_EXISTS', message);
}
