import type {
  CancelJobRequest,
  CancelJobResponse,
  GetJobRequest,
  GetJobResponse,
  ListJobsRequest,
  ListJobsResponse,
  ResumeJobRequest,
  ResumeJobResponse,
  VerifyJobRequest,
  VerifyJobResponse,
} from '@mooring/contracts/batch';
import type { JobRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { CallContext } from '@mooring/rpc';
import { canceled, resumed } from '../domain/job-state.ts';
import { verifyJob, type VerifyDeps } from '../output/verify.ts';
import { verifyPipeline } from '../pipeline/pipeline-manifest.ts';
import { isPipeline } from '../pipeline/step-job.ts';
import type { Admission } from '../run/admission.ts';
import type { JobBook } from '../run/job-book.ts';

const pageSizeDefault = 100;
const pageSizeMax = 1_000;

/** How many jobs are before each one that is queued, by names. */
export type QueuePositions = () => ReadonlyMap<string, number>;

/** A job's place changes with other jobs, so its document does not hold it. */
function shown(job: JobRecord, positions: ReadonlyMap<string, number>): string {
  const queuePosition = job.status === 'Queued' ? positions.get(job.name) : undefined;
  if (queuePosition === undefined) return JSON.stringify(job);
  return JSON.stringify({ ...job, progress: { ...job.progress, queuePosition } });
}

export function createGetJob(book: JobBook, positions: QueuePositions) {
  return async ({ name }: GetJobRequest): Promise<GetJobResponse> => ({
    jobJson: shown(await book.get(name), positions()),
  });
}

/** Newest first; the token is the name of the last one of a page. `known`: all jobs, as they were told of last. */
export function createListJobs(known: () => Iterable<JobRecord>, positions: QueuePositions) {
  return async ({ endpoint, pageSize, pageToken }: ListJobsRequest): Promise<ListJobsResponse> => {
    const size = Math.min(pageSizeMax, pageSize === 0 ? pageSizeDefault : pageSize);
    const wanted = endpoint.toLowerCase();
    const jobs = [...known()]
      // Steps are shown with the job that they are of.
      .filter(({ step, endpoint: of }) => step === undefined && (wanted === '' || of.toLowerCase() === wanted))
      .toSorted((a, b) =>
        a.createdAt === b.createdAt ? (a.name < b.name ? -1 : 1) : a.createdAt < b.createdAt ? 1 : -1,
      );
    const before = jobs.findIndex(({ name }) => name === pageToken);
    if (pageToken !== '' && before < 0) {
      const message = 'the job that this page begins behind is not there any more; list from the beginning again';
      throw new PlatformError('invalid_argument', 'PAGE_TOKEN_UNKNOWN', message);
    }
    const from = before + 1;
    const page = jobs.slice(from, from + size);
    const nextPageToken = from + size < jobs.length ? (page.at(-1)?.name ?? '') : '';
    return { jobJson: page.map((job) => shown(job, positions())), nextPageToken };
  };
}

export function createCancelJob(book: JobBook, clock: () => Date) {
  return async ({ name }: CancelJobRequest): Promise<CancelJobResponse> => {
    const job = await book.change(name, (now) => canceled(now, clock()));
    return { jobJson: JSON.stringify(job) };
  };
}

export function createResumeJob(book: JobBook, admission: Admission, clock: () => Date) {
  return async ({ name }: ResumeJobRequest): Promise<ResumeJobResponse> => {
    const job = await book.change(name, (now) => {
      if (now.step !== undefined) {
        const message = `job '${now.name}' is a step of job '${now.step.job}': resume that, and it does what is left`;
        throw new PlatformError('failed_precondition', 'JOB_IS_STEP', message);
      }
      if (now.filesRemovedAt !== undefined) {
        const message = `the work files of job '${now.name}' were removed on ${now.filesRemovedAt}, so it cannot be resumed; submit it again`;
        throw new PlatformError('failed_precondition', 'JOB_FILES_REMOVED', message);
      }
      if (now.status !== 'Failed' && now.status !== 'Canceled') {
        const message = `job '${now.name}' is ${now.status}; only one that failed or was cancelled can be resumed`;
        throw new PlatformError('failed_precondition', 'JOB_NOT_RESUMABLE', message);
      }
      // Another may have been given its place, if it had written nothing.
      admission.claim(now);
      return resumed(now, clock());
    });
    return { jobJson: JSON.stringify(job) };
  };
}

export function createVerifyJob(book: JobBook, deps: VerifyDeps) {
  return async ({ name }: VerifyJobRequest, { signal }: CallContext): Promise<VerifyJobResponse> => {
    const job = await book.get(name);
    const verification = isPipeline(job)
      ? await verifyPipeline({ ...deps, book }, job, signal)
      : await verifyJob(deps, job, signal);
    return { verificationJson: JSON.stringify(verification) };
  };
}
