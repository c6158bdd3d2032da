import type { JobRecord } from '@mooring/domain';
import { metrics } from '@mooring/telemetry';
import { hasEnded } from '../domain/job-state.ts';

type Where = { endpoint: string; deployment: string };

/** Lets the process's metrics tell of the jobs that have not ended, as they are when somebody asks. */
export function showJobs(jobs: { all(): Iterable<JobRecord> }): void {
  // A pipeline has no mini-batches but those of its steps.
  const open = (): JobRecord[] => [...jobs.all()].filter((job) => !hasEnded(job) && job.pipeline === undefined);
  metrics.batchMiniBatches.source = () => miniBatchesOf(open());
  metrics.batchJobAge.source = () => agesOf(open(), Date.now());
}

export function hideJobs(): void {
  metrics.batchMiniBatches.source = undefined;
  metrics.batchJobAge.source = undefined;
}

/** Mini-batches of one deployment's jobs together; a job that is not listed yet has none. */
export function miniBatchesOf(
  jobs: readonly JobRecord[],
): { labels: Where & { state: 'done' | 'open' }; value: number }[] {
  return byDeployment(jobs).flatMap(({ labels, jobs: own }) => {
    const done = own.reduce((sum, { progress }) => sum + progress.miniBatchesDone, 0);
    const all = own.reduce((sum, { listing }) => sum + (listing?.miniBatches ?? 0), 0);
    return [
      { labels: { ...labels, state: 'done' as const }, value: done },
      { labels: { ...labels, state: 'open' as const }, value: all - done },
    ];
  });
}

export function agesOf(jobs: readonly JobRecord[], nowMs: number): { labels: Where; value: number }[] {
  return byDeployment(jobs).map(({ labels, jobs: own }) => {
    const oldest = Math.min(...own.map(({ createdAt }) => Date.parse(createdAt)));
    return { labels, value: Math.max(0, nowMs - oldest) / 1_000 };
  });
}

function byDeployment(jobs: readonly JobRecord[]): { labels: Where; jobs: JobRecord[] }[] {
  const groups = Map.groupBy(jobs, ({ endpoint, deployment }) => JSON.stringify([endpoint, deployment]));
  return [...groups.values()].map((own) => {
    const { endpoint, deployment } = own[0] as JobRecord;
    return { labels: { endpoint, deployment }, jobs: own };
  });
}
