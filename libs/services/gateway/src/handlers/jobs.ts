import { batchJobToArm } from '@mooring/azureml/arm';
import type { JobRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { jobIdempotencyKey, pinnedDeployment } from '../domain/request-headers.ts';
import type { Exchange } from '../exchange.ts';
import { isHeaderValue, jsonAnswer, type Answer } from '../http/answer.ts';
import type { BatchJobs, JobCallOptions } from '../ports.ts';
import { bodyOf, deadlineLeftMs, type ForwardDeps } from './forward.ts';
import type { RequestPlan } from './request-plan.ts';

export interface JobsDeps extends Pick<ForwardDeps, 'bodyBytesMax'> {
  batchJobs: BatchJobs;
}

/** A job names its input, it does not carry it. */
const jobBytesMax = 1024 * 1024;
/** A thousand retries of one request may come at once, and all of them shall find their job. */
const callDeadlineMs = 30_000;
const pageSizeDefault = 100;
const pageSizeMax = 1_000;
/** Ids in answers need a workspace; the data plane serves all of them alike. */
const workspace = { subscription: 'local', resourceGroup: 'local', workspace: 'default' };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** `POST /jobs` takes a job: 201 when it made it, 200 when an earlier request did. `GET /jobs` lists the endpoint's. */
export function jobs(deps: JobsDeps, exchange: Exchange, plan: RequestPlan): Promise<Answer> {
  return exchange.head.method === 'POST' ? submit(deps, exchange, plan) : list(deps, exchange, plan);
}

/** One job of the endpoint that the key opens. */
export async function job({ batchJobs }: JobsDeps, exchange: Exchange, plan: RequestPlan): Promise<Answer> {
  const name = plan.route.job ?? '';
  const found = await batchJobs.get(name, callOptions(exchange, plan));
  exchange.marks.answered = performance.now();
  if (found.endpoint.toLowerCase() !== endpointOf(exchange).toLowerCase()) {
    const message = `endpoint '${endpointOf(exchange)}' has no job '${name}'`;
    throw new PlatformError('not_found', 'JOB_NOT_FOUND', message);
  }
  return jobAnswer(found, 200);
}

async function submit(deps: JobsDeps, exchange: Exchange, plan: RequestPlan): Promise<Answer> {
  const { headers, rawHeaders } = exchange.head;
  const deployment = pinnedDeployment(headers, undefined);
  const idempotencyKey = jobIdempotencyKey(headers, rawHeaders);
  const text = textOf(await bodyOf(Math.min(jobBytesMax, deps.bodyBytesMax), exchange));
  const submission = { endpoint: endpointOf(exchange), deployment, text, idempotencyKey };
  const made = await deps.batchJobs.submit(submission, callOptions(exchange, plan));
  exchange.marks.answered = performance.now();
  if (made.created) return jobAnswer(made.job, 201);
  const answer = jobAnswer(made.job, 200);
  answer.headers.push('idempotency-replayed', 'true');
  return answer;
}

async function list({ batchJobs }: JobsDeps, exchange: Exchange, plan: RequestPlan): Promise<Answer> {
  const query = new URLSearchParams(plan.query);
  const size = pageSizeOf(query.get('$top'));
  const page = { endpoint: endpointOf(exchange), size, token: query.get('$skipToken') ?? '' };
  const found = await batchJobs.list(page, callOptions(exchange, plan));
  exchange.marks.answered = performance.now();
  const value = found.jobs.map((one) => batchJobToArm(one, workspace));
  if (found.next === '') return jsonAnswer({ value });
  const path = exchange.head.target.replace(/\?.*$/, '');
  const next = new URLSearchParams({ $top: String(size), $skipToken: found.next });
  return jsonAnswer({ value, nextLink: `${path}?${next.toString()}` });
}

function jobAnswer(found: JobRecord, status: number): Answer {
  const answer = jsonAnswer(batchJobToArm(found, workspace), status);
  if (isHeaderValue(found.deployment)) answer.headers.push('azureml-model-deployment', found.deployment);
  return answer;
}

function callOptions(exchange: Exchange, plan: RequestPlan): JobCallOptions {
  const leftMs = deadlineLeftMs(exchange);
  return {
    signal: exchange.signal,
    deadlineMs: leftMs === 0 ? callDeadlineMs : Math.min(leftMs, callDeadlineMs),
    traceparent: exchange.span?.traceparent || plan.traceparent,
  };
}

function endpointOf({ endpoint }: Exchange): string {
  return endpoint?.name ?? '';
}

function textOf(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new PlatformError('invalid_argument', 'BODY_INVALID', 'the body is not JSON: its text is not UTF-8');
  }
}

function pageSizeOf(text: string | null): number {
  if (text === null) return pageSizeDefault;
  const size = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (size >= 1 && size <= pageSizeMax) return size;
  throw new PlatformError('invalid_argument', 'QUERY_INVALID', `$top must be a whole number from 1 to ${pageSizeMax}`);
}
