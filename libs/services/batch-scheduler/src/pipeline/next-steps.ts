import type { JobRecord, PipelinePlan, PlannedStep } from '@mooring/domain';
import { hasEnded } from '../domain/job-state.ts';

export type StepJob = Pick<JobRecord, 'status' | 'step'>;

export interface NextSteps {
  /** Whose job is to be made. */
  begin: PlannedStep[];
  /** Whose job ended badly in an earlier attempt of the pipeline's. */
  again: PlannedStep[];
  completed: string[];
  /** In this attempt. */
  failed: string[];
  /** Nothing runs and nothing is to begin. */
  over: boolean;
}

/**
 * What comes next in a pipeline, from the jobs of its steps as they are. A step begins when all whose outputs it takes have completed;
 * after a failure none begins, or, with `continueOnStepFailure`, only those that do not depend on it.
 */
export function nextSteps(plan: PipelinePlan, attempt: number, jobs: ReadonlyMap<string, StepJob>): NextSteps {
  const next: NextSteps = { begin: [], again: [], completed: [], failed: [], over: false };
  const ready: { step: PlannedStep; again: boolean }[] = [];
  let running = 0;
  for (const step of plan.steps) {
    const job = jobs.get(step.name);
    if (job?.status === 'Completed') next.completed.push(step.name);
    else if (job !== undefined && !hasEnded(job)) running += 1;
    else if (job !== undefined && (job.step?.attempt ?? attempt) >= attempt) next.failed.push(step.name);
    else if (step.after.every((name) => jobs.get(name)?.status === 'Completed'))
      ready.push({ step, again: job !== undefined });
  }
  if (next.failed.length === 0 || plan.continueOnStepFailure) {
    for (const { step, again } of ready) (again ? next.again : next.begin).push(step);
  }
  next.over = running === 0 && next.begin.length === 0 && next.again.length === 0;
  return next;
}
