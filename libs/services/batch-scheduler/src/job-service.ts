import type { Logger } from 'pino';
import { batchWork, type Launches } from '@mooring/batch-jobs';
import { BatchServiceService, type BatchServiceServer } from '@mooring/contracts/batch';
import {
  jobsBucket,
  miniBatchesBucket,
  type JobRecord,
  type MiniBatchMessage,
  type MiniBatchRecord,
} from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import { service, startGrpcServer, unary, type GrpcServer, type MountedService } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import { createFolderStore } from '@mooring/storage';
import type { DataFolder } from '@mooring/config';
import type { Tracing } from '@mooring/telemetry';
import { createGetJobLogs } from './handlers/get-job-logs.ts';
import { createCancelJob, createGetJob, createListJobs, createResumeJob, createVerifyJob } from './handlers/jobs.ts';
import { createSubmitJob } from './handlers/submit-job.ts';
import { createWebInput, type WebInputOptions } from './input/web/web-input.ts';
import type { Catalog } from './ports.ts';
import { createJobBook } from './run/job-book.ts';
import { hideJobs, showJobs } from './run/job-gauges.ts';
import { JobLoop } from './run/job-loop.ts';
import { jobMoved } from './run/job-spans.ts';
import { runJob, type JobRunDeps } from './run/job-run.ts';

export interface JobServiceOptions {
  address: string;
  listenFd?: number | undefined;
  folder: Pick<DataFolder, 'artifacts' | 'jobs'>;
  /** Jobs that are worked on at once; others are queued. */
  activeJobsMax: number;
  /** Files of the web that may be inputs. */
  input: WebInputOptions;
  catalog: Catalog;
  launches: Launches;
  tracing: Tracing;
}

/** Accepts jobs and takes each of them to its end. */
export function createJobService(options: JobServiceOptions, nats: Nats, log: Logger): Lifecycle {
  const { catalog, launches, folder, tracing } = options;
  let server: GrpcServer | undefined;
  let loop: JobLoop | undefined;
  return {
    start: async () => {
      const jobs = await nats.bucket<JobRecord>(jobsBucket);
      const deps: JobRunDeps & { tracing: Tracing } = {
        book: createJobBook(jobs, (before, after) => jobMoved(tracing, before, after)),
        records: await nats.bucket<MiniBatchRecord>(miniBatchesBucket),
        work: await nats.workQueue<MiniBatchMessage>(batchWork),
        catalog,
        launches,
        store: createFolderStore(folder.artifacts),
        web: createWebInput(options.input),
        jobsFolder: folder.jobs,
        clock: () => new Date(),
        tracing,
        log,
      };
      const run = (name: string, signal: AbortSignal): Promise<void> => runJob(deps, name, signal);
      loop = new JobLoop({ book: deps.book, jobs, run, activeMax: options.activeJobsMax, clock: deps.clock, log });
      await loop.start();
      showJobs(loop);
      const services = [mount(deps, log)];
      server = await startGrpcServer({
        address: options.address,
        listenFd: options.listenFd,
        services,
        log,
        ready: () => true,
      });
    },
    ready: () => server !== undefined,
    stop: async (signal) => {
      await server?.stop(signal);
      hideJobs();
      await loop?.stop();
    },
  };
}

function mount(deps: JobRunDeps & { tracing: Tracing }, log: Logger): MountedService {
  const { book, clock, jobsFolder } = deps;
  return service<BatchServiceServer>(BatchServiceService, {
    submitJob: unary(log, createSubmitJob(deps)),
    getJob: unary(log, createGetJob(book)),
    listJobs: unary(log, createListJobs(book)),
    cancelJob: unary(log, createCancelJob(book, clock)),
    resumeJob: unary(log, createResumeJob(book, clock)),
    verifyJob: unary(log, createVerifyJob(book, deps)),
    getJobLogs: unary(log, createGetJobLogs(book, jobsFolder)),
  });
}
