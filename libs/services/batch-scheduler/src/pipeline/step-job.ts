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

/** The documents of the steps that have begun. */
export async function stepJobs(book: JobBook, { name, pipeline }: Pipeline): Promise<Map<string, JobRecord>> {
  const found = await Promise.all(
    pipeline.steps.map(async (step) => [step.name, await book.find(stepJobName(name, step.name))] as const),
  );
  return new Map(found.filter((entry): entry is [string, JobRecord] => entry[1] !== undefined));
}
