import { createHash } from 'node:crypto';
import type { JobRecord, PipelinePlan, PlannedStep } from '@mooring/domain';
import type { JobBook } from '../run/job-book.ts';

export type Pipeline = JobRecord & { pipeline: PipelinePlan };

export function isPipeline(job: JobRecord): job is Pipeline {
  return job.pipeline !== undefined;
}

/** Name of a step's job. No caller's job can have it, because a job's name has no colon. */
export function stepJobName(job: string, step: string): string {
  return `${job}:${step}`;
}

/** The job of a step as it is made, once. */
export function stepJob(parent: JobRecord, planned: PlannedStep, at: Date): JobRecord {
  const { name, after: _after, runs, ...rest } = planned;
  const now = at.toISOString();
  return {
    name: stepJobName(parent.name, name),
    displayName: name,
    experimentName: parent.experimentName,
    tags: parent.tags,
    properties: parent.properties,
    endpoint: parent.endpoint,
    deployment: parent.deployment,
    createdAt: now,
    createdBy: parent.createdBy,
    fingerprint: createHash('sha256').update(JSON.stringify(planned)).digest('hex'),
    ...rest,
    // A step's models are inputs like all else.
    model: '',
    status: 'Queued',
    since: now,
    attempt: 1,
    pushedTo: 0,
    progress: { succeeded: 0, failed: 0, skipped: 0, miniBatchesDone: 0 },
    usage: { instanceS: 0, items: 0, bytes: 0 },
    ...(parent.traceparent === undefined ? {} : { traceparent: parent.traceparent }),
    step: { job: parent.name, name, attempt: parent.attempt, ...runs },
  };
}

/**
 * The documents of the steps that have begun, by the steps' names. Asks for those alone that may have: one begins when those before it have
 * completed, and a completed one of `known` stays as it is.
 */
export async function stepJobs(
  book: JobBook,
  { name, pipeline }: Pipeline,
  known: ReadonlyMap<string, JobRecord> = new Map(),
): Promise<Map<string, JobRecord>> {
  const jobs = new Map([...known].filter(([, { status }]) => status === 'Completed'));
  const asked = new Set(jobs.keys());
  for (;;) {
    const open = pipeline.steps.filter(
      (step) => !asked.has(step.name) && step.after.every((before) => jobs.get(before)?.status === 'Completed'),
    );
    if (open.length === 0) return jobs;
    await Promise.all(
      open.map(async (step) => {
        asked.add(step.name);
        const job = await book.find(stepJobName(name, step.name));
        if (job !== undefined) jobs.set(step.name, job);
      }),
    );
  }
}
