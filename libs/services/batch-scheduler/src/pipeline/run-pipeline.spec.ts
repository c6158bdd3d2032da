import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { batchJobDefaults, type JobRecord, type JobStatus, type PlannedStep } from '@mooring/domain';
import { createFolderStore } from '@mooring/storage';
import { tempDir } from '@mooring/testing';
import { canceled } from '../domain/job-state.ts';
import { createListJobs, createResumeJob } from '../handlers/jobs.ts';
import type { JobBook } from '../run/job-book.ts';
import { runPipeline } from './run-pipeline.ts';
import { isPipeline } from './step-job.ts';

const at = new Date('2026-01-01T00:00:00Z');

/** Documents in memory: the real ones are compared and set, which nobody else does here. */
function bookOf(...jobs: JobRecord[]): JobBook & { jobs: Map<string, JobRecord> } {
  const all = new Map(jobs.map((job) => [job.name, job]));
  const get = async (name: string): Promise<JobRecord> => all.get(name) as JobRecord;
  return {
    jobs: all,
    get,
    find: async (name) => all.get(name),
    create: async (job) => {
      const present = all.get(job.name);
      if (present === undefined) all.set(job.name, job);
      return { job: present ?? job, created: present === undefined };
    },
    change: async (name, change) => {
      const next = change(await get(name));
      if (next !== undefined) all.set(name, next);
      return next ?? (await get(name));
    },
    all: async () => [...all.values()],
  };
}

function planned(name: string, ...after: string[]): PlannedStep {
  return {
    name,
    after,
    output: { container: 'store', folder: `azureml/p/steps/${name}` },
    settings: batchJobDefaults,
    input: { name: '', type: 'uri_folder', uri: '' },
    runs: { command: 'true', inputs: {}, outputs: {}, environmentVariables: { A: name } },
  };
}

function pipelineJob(changes: Partial<JobRecord> = {}): JobRecord {
  return {
    name: 'p',
    displayName: 'p',
    experimentName: 'night',
    tags: {},
    properties: {},
    endpoint: 'night',
    deployment: 'pipe',
    createdAt: at.toISOString(),
    createdBy: 'spec',
    fingerprint: '',
    input: { name: '', type: 'uri_folder', uri: '' },
    output: { container: 'store', folder: 'azureml/p' },
    settings: batchJobDefaults,
    model: '',
    status: 'Running',
    since: at.toISOString(),
    attempt: 1,
    pushedTo: 0,
    progress: { succeeded: 0, failed: 0, skipped: 0, miniBatchesDone: 0 },
    usage: { instanceS: 0, items: 0, bytes: 0 },
    pipeline: {
      component: 'pipe/1',
      continueOnStepFailure: false,
      inputs: {},
      outputs: {},
      steps: [planned('a'), planned('b', 'a')],
    },
    ...changes,
  };
}

/** Runs the pipeline until it has ended, its steps ending at once as `fate` says; gives the names of steps as they were begun. */
async function runWith(
  book: ReturnType<typeof bookOf>,
  fate: (step: string) => JobStatus | undefined,
): Promise<{ job: JobRecord; begun: string[] }> {
  const folder = tempDir('pipeline-');
  const begun: string[] = [];
  const playing: JobBook = {
    ...book,
    find: async (name) => {
      const job = await book.find(name);
      if (job?.step === undefined || job.status !== 'Queued') return job;
      if (begun.at(-1) !== job.step.name) begun.push(job.step.name);
      const status = fate(job.step.name);
      if (status !== undefined) book.jobs.set(name, { ...job, status, usage: { instanceS: 2, items: 1, bytes: 3 } });
      return book.find(name);
    },
  };
  const store = createFolderStore(folder.path);
  const deps = { book: playing, store, clock: () => at, log: pino({ enabled: false }) };
  try {
    for (;;) {
      const job = await book.get('p');
      if (!isPipeline(job) || ['Completed', 'Failed', 'Canceled'].includes(job.status)) return { job, begun };
      await runPipeline(deps, job, AbortSignal.timeout(10_000));
    }
  } finally {
    folder.remove();
  }
}

describe('the job of a pipeline', () => {
  it('makes the job of each step once, after those before it, and ends with what they took', async () => {
    const book = bookOf(pipelineJob({ status: 'Preparing' }));
    const { job, begun } = await runWith(book, () => 'Completed');
    expect(begun).toEqual(['a', 'b']);
    expect(job).toMatchObject({
      status: 'Completed',
      listing: { items: 2, itemKind: 'steps' },
      progress: { succeeded: 2, failed: 0, skipped: 0 },
      usage: { instanceS: 4, items: 2, bytes: 6 },
    });
    expect(book.jobs.get('p:a')).toMatchObject({
      displayName: 'a',
      endpoint: 'night',
      step: { job: 'p', name: 'a', attempt: 1, environmentVariables: { A: 'a' } },
    });
  });

  it('fails with the step that did, and when it is resumed begins that one again and no other', async () => {
    const book = bookOf(pipelineJob());
    const { job } = await runWith(book, (step) => (step === 'b' ? 'Failed' : 'Completed'));
    expect(job).toMatchObject({
      status: 'Failed',
      error: { code: 'StepFailed' },
      progress: { succeeded: 1, failed: 1 },
    });
    const claim = { claim: () => undefined } as never;
    await createResumeJob(book, claim, () => at)({ name: 'p' });
    book.jobs.set('p', { ...(await book.get('p')), status: 'Preparing' });
    const again = await runWith(book, () => 'Completed');
    expect(again).toMatchObject({ begun: ['b'], job: { status: 'Completed', attempt: 2 } });
    expect(book.jobs.get('p:b')).toMatchObject({ attempt: 2, step: { attempt: 2 } });
    expect(book.jobs.get('p:a')).toMatchObject({ attempt: 1 });
  });

  it('hands a cancellation on, and waits for its steps to end', async () => {
    const book = bookOf(pipelineJob({ status: 'Preparing' }));
    const { job, begun } = await runWith(book, () => {
      const now = book.jobs.get('p') as JobRecord;
      book.jobs.set('p', canceled(now, at) ?? now);
      return undefined;
    });
    expect([begun, job.status]).toEqual([['a'], 'Canceled']);
    expect(book.jobs.get('p:a')?.status).toBe('Canceled');
    expect(job.progress).toMatchObject({ succeeded: 0, failed: 0, skipped: 2 });
  });

  it('is shown in lists for its steps, which are resumed with it alone', async () => {
    const book = bookOf(pipelineJob());
    await runWith(book, () => 'Failed');
    const { jobJson } = await createListJobs(
      () => book.jobs.values(),
      () => new Map(),
    )({ endpoint: '', pageSize: 0, pageToken: '' });
    expect(jobJson.map((text) => (JSON.parse(text) as JobRecord).name)).toEqual(['p']);
    const resume = createResumeJob(book, { claim: () => undefined } as never, () => at);
    await expect(resume({ name: 'p:a' })).rejects.toMatchObject({ reason: 'JOB_IS_STEP' });
  });
});
