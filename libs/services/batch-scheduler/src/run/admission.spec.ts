import { expect, it } from 'vitest';
import type { JobRecord } from '@mooring/domain';
import { Admission } from './admission.ts';

function job(name: string, folder: string, more: Partial<JobRecord> = {}): JobRecord {
  return { name, output: { container: 'c', folder }, status: 'Queued', ...more } as JobRecord;
}

it('takes no job beyond what the queue holds', () => {
  const jobs = [job('a', 'a'), job('b', 'b', { status: 'Running' })];
  const admission = new Admission({ jobs: () => jobs, queuedMax: 2 });
  admission.checkRoom();
  jobs.push(job('c', 'c'));
  expect(() => admission.checkRoom()).toThrow(expect.objectContaining({ reason: 'JOB_QUEUE_FULL' }));
});

it('gives a place once, also before it has been told of the job, and again when that could not be made', () => {
  const admission = new Admission({ jobs: () => [], queuedMax: 2 });
  admission.claim(job('a', 'x'));
  admission.claim(job('a', 'x'));
  expect(() => admission.claim(job('b', 'x'))).toThrow(expect.objectContaining({ reason: 'OUTPUT_EXISTS' }));
  admission.release(job('a', 'x'));
  admission.claim(job('b', 'x'));
});

it('gives a place again whose job ended before it had written anything', () => {
  const jobs: JobRecord[] = [];
  const admission = new Admission({ jobs: () => jobs, queuedMax: 2 });
  admission.claim(job('a', 'x'));
  jobs.push(job('a', 'x', { status: 'Canceled' }));
  admission.claim(job('b', 'x'));
});

it('counts the outputs of a pipeline as its places', () => {
  const outputs = { o: { container: 'c', folder: 'y', type: 'uri_folder' } };
  const pipeline = job('a', 'x', { pipeline: { outputs } as unknown as JobRecord['pipeline'] & object });
  const admission = new Admission({ jobs: () => [pipeline], queuedMax: 2 });
  expect(() => admission.claim(job('b', 'y'))).toThrow(expect.objectContaining({ reason: 'OUTPUT_EXISTS' }));
});

it('gives no place below one that is still written to, except those that jobs have unasked', () => {
  const jobs = [job('a', 'azureml/a/score', { status: 'Running' }), job('b', 'azureml'), job('c', 'y')];
  const admission = new Admission({ jobs: () => jobs, queuedMax: 2 });
  const taken = expect.objectContaining({ reason: 'OUTPUT_EXISTS' });
  expect(() => admission.claim(job('d', 'azureml/a/score/errors.jsonl'))).toThrow(taken);
  expect(() => admission.claim(job('d', 'y/z'))).toThrow(taken);
  admission.claim(job('d', 'azureml/d/score'));
  admission.claim(job('e', 'yy'));
  jobs[2] = job('c', 'y', { status: 'Completed' });
  admission.claim(job('f', 'y/z'));
});
