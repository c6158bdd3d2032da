import { setTimeout } from 'node:timers/promises';
import type { JobRecord } from '@mooring/domain';
import { canceled, hasEnded, moved, resumed } from '../domain/job-state.ts';
import { addUsage } from '../domain/job-usage.ts';
import { nextSteps, type NextSteps } from './next-steps.ts';
import { finishPipeline, type PipelineDeps } from './pipeline-manifest.ts';
import { listingOfPipeline } from './prepare-step.ts';
import { stepJob, stepJobName, stepJobs, type Pipeline } from './step-job.ts';

/** How often the documents of the steps are looked at. */
const lookMs = 250;

/**
 * Takes the job of a pipeline to its next status, from where its document and those of its steps say it is; it may be stopped anywhere and
 * begun again. Makes and resumes the jobs of steps, and hands on a cancellation; running them is their own.
 */
export async function runPipeline(deps: PipelineDeps, job: Pipeline, signal: AbortSignal): Promise<void> {
  const { book, clock } = deps;
  if (job.status === 'Preparing') {
    await book.change(job.name, (now) =>
      now.status === 'Preparing'
        ? moved(now, 'Running', clock(), { listing: now.listing ?? listingOfPipeline(now) })
        : undefined,
    );
  } else if (job.status === 'Finalizing') await finishPipeline(deps, job, signal);
  else {
    let jobs: ReadonlyMap<string, JobRecord> = new Map();
    for (let now: JobRecord = job; now.status === job.status; now = await book.get(job.name)) {
      signal.throwIfAborted();
      jobs = await stepJobs(book, job, jobs);
      await look(deps, job, jobs, signal);
      await setTimeout(lookMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function look(
  deps: PipelineDeps,
  job: Pipeline,
  jobs: ReadonlyMap<string, JobRecord>,
  signal: AbortSignal,
): Promise<void> {
  if (job.status === 'CancelRequested') {
    if (await cancelSteps(deps, jobs)) await end(deps, job, jobs, 'Canceled');
    return;
  }
  const next = nextSteps(job.pipeline, job.attempt, jobs);
  for (const step of next.begin) {
    signal.throwIfAborted();
    await deps.book.create(stepJob(job, step, deps.clock()));
  }
  for (const { name } of next.again) await beginAgain(deps, job, name);
  if (!next.over) return say(deps, job, jobs, next);
  if (next.completed.length === job.pipeline.steps.length) return end(deps, job, jobs, 'Completed');
  const [name = ''] = next.failed;
  const message = `${next.failed.length === 1 ? `step '${name}'` : `steps '${next.failed.join("', '")}'`} did not complete: ${whyFailed(jobs.get(name))}`;
  await end(deps, job, jobs, 'Failed', { code: 'StepFailed', message });
}

async function beginAgain({ book, clock }: PipelineDeps, job: Pipeline, step: string): Promise<void> {
  await book.change(stepJobName(job.name, step), (now) => {
    if (now.step === undefined || !hasEnded(now) || now.step.attempt >= job.attempt) return undefined;
    const { listing: _listing, ...rest } = resumed(now, clock());
    // Of a command nothing is kept, and what it takes may lie elsewhere by now.
    const begun = now.step.command === undefined ? resumed(now, clock()) : rest;
    return { ...begun, step: { ...now.step, attempt: job.attempt } };
  });
}

/** True when none of them runs any more. */
async function cancelSteps({ book, clock }: PipelineDeps, jobs: ReadonlyMap<string, JobRecord>): Promise<boolean> {
  for (const { name } of jobs.values()) await book.change(name, (now) => canceled(now, clock()));
  return [...jobs.values()].every(hasEnded);
}

function progressOf(job: Pipeline, jobs: ReadonlyMap<string, JobRecord>): Pick<JobRecord, 'progress' | 'usage'> {
  const all = [...jobs.values()];
  const count = (status: JobRecord['status']): number => all.filter((one) => one.status === status).length;
  const [succeeded, failed] = [count('Completed'), count('Failed')];
  const usage = all.reduce((sum, one) => addUsage(one.usage, sum), { instanceS: 0, items: 0, bytes: 0 });
  const ended = job.status === 'CancelRequested' || all.every(hasEnded);
  const skipped = ended ? job.pipeline.steps.length - succeeded - failed : 0;
  return { progress: { succeeded, failed, skipped, miniBatchesDone: succeeded + failed }, usage };
}

async function say(
  { book }: PipelineDeps,
  job: Pipeline,
  jobs: ReadonlyMap<string, JobRecord>,
  next: NextSteps,
): Promise<void> {
  const { progress, usage } = progressOf(job, jobs);
  const seen = { ...progress, skipped: 0, failed: next.failed.length };
  await book.change(job.name, (now) => {
    const changed = { ...now, progress: seen, usage };
    return now.status !== 'Running' || JSON.stringify(changed) === JSON.stringify(now) ? undefined : changed;
  });
}

async function end(
  { book, clock }: PipelineDeps,
  job: Pipeline,
  jobs: ReadonlyMap<string, JobRecord>,
  ending: NonNullable<JobRecord['ending']>,
  error?: JobRecord['error'],
): Promise<void> {
  await book.change(job.name, (now) => {
    // One that is being cancelled meanwhile is looked at again.
    if (now.status !== job.status) return undefined;
    return moved(now, 'Finalizing', clock(), {
      ...progressOf(job, jobs),
      ending,
      ...(error === undefined ? {} : { error }),
    });
  });
}

function whyFailed(job: JobRecord | undefined): string {
  if (job === undefined) return 'it did not begin';
  return job.status === 'Canceled' ? 'it was cancelled' : (job.error?.message ?? 'it failed');
}
