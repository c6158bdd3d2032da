import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { JobRecord, JobStatus } from '@mooring/domain';
import { until, type HttpAnswer, type Platform } from './harness.ts';

/** What the data plane says of a job, as far as tests look at it. */
export interface Job {
  name: string;
  properties: { status: JobStatus; mooring: Pick<JobRecord, 'progress' | 'error' | 'listing'> };
}

export interface BatchEndpoint {
  key: string;
  invoke(body: unknown, headers?: Record<string, string>): Promise<HttpAnswer>;
  /** The name of the job that was made; fails unless the answer is 201. */
  started(answer: Promise<HttpAnswer>): Promise<string>;
  jobNamed(name: string): Promise<Job>;
  /** Waits for a job to be in one of these states; fails once it has come to another end. */
  reached(name: string, ...statuses: JobStatus[]): Promise<Job>;
  /** What `mooring job verify` says; fails where its exit code says otherwise. */
  verified(name: string): Promise<Record<string, unknown>>;
  /** A file of a job's output, where the job named no other place for it. */
  outputFile(job: string, file: string): string;
}

/** Jobs have the lowest priority of the machine, and tests of others may take all of it. */
const jobMs = 150_000;
const terminal: readonly JobStatus[] = ['Completed', 'Failed', 'Canceled'];

export async function makeBatchEndpoint(platform: Platform, name: string): Promise<BatchEndpoint> {
  await platform.json('batch-endpoint', 'create', '-f', platform.yaml(`name: ${name}\nauth_mode: aad_token\n`));
  const { primaryKey: key } = await platform.json<{ primaryKey: string }>(
    'batch-endpoint',
    'get-credentials',
    '-n',
    name,
  );
  const path = `/endpoints/${name}/jobs`;
  const jobNamed = async (job: string): Promise<Job> => {
    const { status, body } = await platform.send(`${path}/${job}`, { key });
    expect(status, body.toString()).toBe(200);
    return JSON.parse(body.toString()) as Job;
  };
  return {
    key,
    jobNamed,
    invoke: (body, headers = {}) =>
      platform.send(path, { key, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }),
    started: async (answer) => {
      const { status, body } = await answer;
      expect(status, body.toString()).toBe(201);
      return (JSON.parse(body.toString()) as Job).name;
    },
    reached: async (job, ...statuses) => {
      const end = await until(
        `job ${job} to be ${statuses.join(' or ')}`,
        async () => {
          const found = await jobNamed(job);
          return [...statuses, ...terminal].includes(found.properties.status) && found;
        },
        jobMs,
      );
      expect(statuses, JSON.stringify(end.properties)).toContain(end.properties.status);
      return end;
    },
    verified: async (job) => {
      const { code, stdout, stderr } = await platform.mooring('job', 'verify', '-n', job, '-o', 'json');
      const verification = JSON.parse(stdout) as Record<string, unknown>;
      expect(code === 0, stderr).toBe(verification['ok']);
      return verification;
    },
    outputFile: (job, file) =>
      readFileSync(join(platform.data, 'artifacts/workspaceblobstore/azureml', job, 'score', file), 'utf8'),
  };
}

export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
