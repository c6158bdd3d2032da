import { describe, expect, it } from 'vitest';
import { batchJobDefaults, type JobStatus, type PipelinePlan, type PlannedStep } from '@mooring/domain';
import { nextSteps, type StepJob } from './next-steps.ts';
import { placeOfFile } from './place-of-file.ts';

function step(name: string, ...after: string[]): PlannedStep {
  return {
    name,
    after,
    output: { container: 'c', folder: name },
    settings: batchJobDefaults,
    input: { name: '', type: 'uri_folder', uri: '' },
    runs: { inputs: {}, outputs: {}, environmentVariables: {} },
  };
}

const plan: PipelinePlan = {
  component: 'p/1',
  continueOnStepFailure: false,
  inputs: {},
  outputs: {},
  steps: [step('a'), step('b'), step('c', 'a', 'b'), step('d', 'c')],
};

const job = (status: JobStatus, attempt = 1): StepJob => ({
  status,
  step: { job: 'j', name: '', attempt, inputs: {}, outputs: {}, environmentVariables: {} },
});

function next(jobs: Record<string, StepJob>, changes: Partial<PipelinePlan> = {}, attempt = 1) {
  const { begin, again, ...rest } = nextSteps({ ...plan, ...changes }, attempt, new Map(Object.entries(jobs)));
  return { ...rest, begin: begin.map(({ name }) => name), again: again.map(({ name }) => name) };
}

describe('the next steps of a pipeline', () => {
  it('are all that wait for nothing', () => {
    expect(next({})).toMatchObject({ begin: ['a', 'b'], over: false });
  });

  it('are those whose every step before has completed', () => {
    expect(next({ a: job('Completed'), b: job('Running') })).toMatchObject({ begin: [], over: false });
    expect(next({ a: job('Completed'), b: job('Completed') })).toMatchObject({ begin: ['c'] });
  });

  it('are none when all have completed', () => {
    const all = { a: job('Completed'), b: job('Completed'), c: job('Completed'), d: job('Completed') };
    expect(next(all)).toMatchObject({ begin: [], completed: ['a', 'b', 'c', 'd'], over: true });
  });

  it.each<JobStatus>(['Failed', 'Canceled'])('are none after one that %s, but what runs goes on', (status) => {
    expect(next({ a: job(status), b: job('Running') })).toMatchObject({ begin: [], failed: ['a'], over: false });
    expect(next({ a: job(status), b: job('Completed') })).toMatchObject({ begin: [], failed: ['a'], over: true });
    expect(next({ a: job(status) })).toMatchObject({ begin: [], over: true });
  });

  it('are those that do not depend on a failure, where the deployment goes on after one', () => {
    const going = { continueOnStepFailure: true };
    expect(next({ a: job('Failed') }, going)).toMatchObject({ begin: ['b'], over: false });
    expect(next({ a: job('Failed'), b: job('Completed') }, going)).toMatchObject({ begin: [], over: true });
  });

  it('are, when the job is resumed, what failed before, once', () => {
    const before = { a: job('Completed'), b: job('Failed') };
    expect(next(before, {}, 2)).toMatchObject({ again: ['b'], begin: [], failed: [], over: false });
    expect(next({ ...before, b: job('Failed', 2) }, {}, 2)).toMatchObject({ again: [], failed: ['b'], over: true });
    expect(next({ ...before, b: job('Queued', 2) }, {}, 2)).toMatchObject({ again: [], failed: [], over: false });
  });
});

it('files of a step lie in the place of the output that their path begins with', () => {
  const outputs = { scores: { container: 'o', folder: 'out/run1', type: 'uri_folder' as const } };
  const own = {
    output: { container: 'c', folder: 'azureml/j/steps/rate' },
    step: { job: 'j', name: 'rate', attempt: 1, inputs: {}, outputs, environmentVariables: {} },
  };
  expect(placeOfFile(own, 'scores/a/b.csv')).toEqual({ container: 'o', path: 'out/run1/a/b.csv' });
  expect(placeOfFile(own, 'manifest.json')).toEqual({ container: 'c', path: 'azureml/j/steps/rate/manifest.json' });
  expect(placeOfFile(own, 'constructor/x')).toEqual({ container: 'c', path: 'azureml/j/steps/rate/constructor/x' });
  expect(placeOfFile({ output: own.output }, 'scores/x').path).toBe('azureml/j/steps/rate/scores/x');
});
