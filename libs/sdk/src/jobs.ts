import type { JobMore } from '@mooring/azureml/arm';
import type { JobStatus, JobVerification } from '@mooring/domain';
import { asObject, textOf } from './arm-error.ts';
import type { ArmResource, ArmRest, CallOptions } from './arm-rest.ts';
import { segment } from './segment.ts';

/** A batch job: Azure's `PipelineJob` (azureml-contract 3.4, 6.2), and what only Mooring says of it below `mooring`. */
export interface BatchJob extends ArmResource {
  name: string;
  properties: {
    status: JobStatus;
    displayName: string;
    experimentName: string;
    tags: Record<string, string>;
    mooring: JobMore;
    [key: string]: unknown;
  };
}

export interface JobListOptions extends CallOptions {
  /** Of one endpoint, or of one of its deployments; default: of all. */
  endpoint?: string | undefined;
  deployment?: string | undefined;
  status?: readonly JobStatus[] | undefined;
  /** `key` or `key=value`. */
  tags?: readonly string[] | undefined;
  /** The newest so many; default: all of them. */
  max?: number | undefined;
}

const pageSizeMax = 1_000;
/** Longer than the server takes at most. */
const verifyDeadlineMs = 290_000;
/** Where Azure's clients find the jobs of an endpoint (azureml-contract 3.3). */
const managementFrontend = '/mferp/managementfrontend';

/** Calls reject with JOB_NOT_FOUND where there is no such job. */
export function jobCalls({ send, get, listAll, post }: ArmRest) {
  const path = (name: string): string => `/jobs/${segment(name)}`;
  const jobOf = (body: unknown): BatchJob => body as BatchJob;
  return {
    get: async (name: string, call: CallOptions = {}): Promise<BatchJob> => jobOf((await get(path(name), call)).body),
    /** Newest first. */
    list: async (call: JobListOptions = {}): Promise<BatchJob[]> => {
      const { endpoint, deployment, max, signal } = call;
      const below = deployment === undefined ? '' : `/deployments/${segment(deployment)}`;
      const ofEndpoint = endpoint === undefined ? undefined : `/batchEndpoints/${segment(endpoint)}${below}/jobs`;
      const root = ofEndpoint === undefined ? '' : managementFrontend;
      const jobs = await listAll(`${ofEndpoint ?? '/jobs'}?${queryOf(call).toString()}`, { max, signal, root });
      return jobs.map(jobOf);
    },
    /** Resolves as soon as that is asked for; what is done is kept. */
    cancel: async (name: string, call: CallOptions = {}): Promise<BatchJob> =>
      jobOf((await post(`${path(name)}/cancel`, {}, call)).body),
    /** Runs what is left of a job that failed or was cancelled. */
    resume: async (name: string, call: CallOptions = {}): Promise<BatchJob> =>
      jobOf((await post(`${path(name)}/resume`, {}, call)).body),
    verify: async (name: string, { signal }: CallOptions = {}): Promise<JobVerification> =>
      (await post(`${path(name)}/verify`, {}, { signal, deadlineMs: verifyDeadlineMs })).body as JobVerification,
    /** The last `tail` lines of what its processes said. */
    getLogs: async (name: string, { tail, signal }: CallOptions & { tail: number }): Promise<string> => {
      const answer = await send({ method: 'GET', path: `${path(name)}/logs?tail=${tail}`, signal });
      return textOf(asObject(answer.body)['content']) ?? '';
    },
  };
}

function queryOf({ status = [], tags = [], max }: JobListOptions): URLSearchParams {
  return new URLSearchParams({
    $top: String(Math.min(Math.max(1, max ?? pageSizeMax), pageSizeMax)),
    ...(status.length === 0 ? {} : { status: status.join(',') }),
    ...(tags.length === 0 ? {} : { tags: tags.join(',') }),
  });
}
