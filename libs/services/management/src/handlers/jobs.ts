import { batchJobToArm, jobToArm } from '@mooring/azureml/arm';
import { refusal, type JobRecord } from '@mooring/domain';
import { readJobQuery, type JobQuery } from '../domain/job-listing.ts';
import { queryValue } from '../domain/listing.ts';
import { ok, type Answer, type Call, type Handler } from '../http/call.ts';
import type { JobsPort, ManagementPorts } from '../ports.ts';
import { deploymentNames } from './deployments.ts';
import { endpointNames } from './endpoints.ts';
import { keyOf } from './resource.ts';

const pageSize = 200;
/** Pages that are looked through for one answer; what is left is behind its nextLink. */
const pagesMax = 20;
const logLinesDefault = 5_000;
const logLinesMax = 100_000;

/** How long everything that a job wrote may take to be read: Node's own client waits five minutes for an answer. */
export const verifyDeadlineMs = 280_000;

/** azureml-contract 3.3: jobs of the workspace. */
export function createListJobs({ jobs }: ManagementPorts): Handler {
  return async (call) => {
    const query = readJobQuery(call.query);
    return pageOf(call, await collect(jobs, '', query), (job) => jobBody(job, call));
  };
}

/** Those of one endpoint, or of one of its deployments, in the shape that the data plane answers. */
export function createListJobsOf(ports: ManagementPorts, below: 'batch-endpoint' | 'batch-deployment'): Handler {
  return async (call) => {
    const query = readJobQuery(call.query);
    const names = below === 'batch-endpoint' ? endpointNames(call) : deploymentNames(call);
    const { key } = await ports.registry.get(below, keyOf(below, names));
    const [endpoint = '', deployment] = key.toLowerCase().split('/');
    const wanted = (job: JobRecord): boolean =>
      (deployment === undefined || job.deployment.toLowerCase() === deployment) && query.wanted(job);
    const page = await collect(ports.jobs, endpoint, { ...query, wanted });
    return pageOf(call, page, (job) => batchJobToArm(job, call.workspace));
  };
}

export function createGetJob({ jobs }: ManagementPorts): Handler {
  return async (call) => ok(jobBody(await jobs.get(nameOf(call)), call));
}

/** Keeps what is done. A job that has ended stays as it is. */
export function createCancelJob({ jobs }: ManagementPorts): Handler {
  return async (call) => ok(jobBody(await jobs.cancel(nameOf(call)), call));
}

/** Runs what is left of a job that failed or was cancelled. */
export function createResumeJob({ jobs }: ManagementPorts): Handler {
  return async (call) => ok(jobBody(await jobs.resume(nameOf(call)), call));
}

/** Everything that the job wrote, read again and compared with its records. */
export function createVerifyJob({ jobs }: ManagementPorts): Handler {
  return async (call) =>
    ok(await jobs.verify(nameOf(call), { deadlineMs: verifyDeadlineMs, signal: call.signal }), {
      'cache-control': 'no-store',
    });
}

/** The last `tail` lines of what its processes said. */
export function createGetJobLogs({ jobs }: ManagementPorts): Handler {
  return async (call) => {
    const text = queryValue(call.query, 'tail');
    const tail = text === undefined ? logLinesDefault : /^\d{1,6}$/.test(String(text)) ? Number(text) : 0;
    if (tail < 1 || tail > logLinesMax) {
      const expected = `a whole number from 1 to ${logLinesMax}`;
      throw refusal('query', [{ path: 'tail', problem: 'is not allowed', expected }]);
    }
    return ok({ content: await jobs.logs(nameOf(call), tail) });
  };
}

function nameOf({ params }: Call): string {
  return params['job'] ?? '';
}

function jobBody(job: JobRecord, { workspace, baseUrl }: Call): Record<string, unknown> {
  return jobToArm(job, workspace, baseUrl);
}

interface JobPage {
  found: JobRecord[];
  /** Where the next page begins; empty when this is the last. */
  next: string;
}

/** The first `top` jobs behind the token that are wanted. */
async function collect(jobs: JobsPort, endpoint: string, { top, token, wanted }: JobQuery): Promise<JobPage> {
  const found: JobRecord[] = [];
  let next = token;
  for (let page = 0; page < pagesMax; page += 1) {
    const size = Math.min(pageSize, top);
    const answer = await jobs.list({ endpoint, size, token: next });
    for (const [index, job] of answer.jobs.entries()) {
      if (wanted(job)) found.push(job);
      if (found.length < top) continue;
      const isLast = index === answer.jobs.length - 1;
      return { found, next: isLast ? answer.next : job.name };
    }
    next = answer.next;
    if (next === '') break;
  }
  return { found, next };
}

function pageOf(call: Call, { found, next }: JobPage, bodyOf: (job: JobRecord) => unknown): Answer {
  const value = found.map((job) => bodyOf(job));
  if (next === '') return ok({ value });
  const url = new URL(call.baseUrl + call.path);
  for (const [name, text] of Object.entries(call.query)) {
    if (typeof text === 'string' && name.toLowerCase() !== '$skiptoken') url.searchParams.set(name, text);
  }
  url.searchParams.set('$skipToken', next);
  return ok({ value, nextLink: url.href });
}
