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
import { createSubmitJob, type SubmitDeps } from './handlers/submit-job.ts';
import { createWebInput, type WebInputOptions } from './input/web/web-input.ts';
import type { Catalog } from './ports.ts';
import { Admission } from './run/admission.ts';
import { createJobBook } from './run/job-book.ts';
import { hideJobs, showJobs } from './run/job-gauges.ts';
import { JobLoop } from './run/job-loop.ts';
import { jobMoved } from './run/job-spans.ts';
import { Retention } from './run/retention.ts';
import { runJob, type JobRunDeps } from './run/job-run.ts';

export interface JobServiceOptions {
  address: string;
  listenFd?: number | undefined;
  folder: Pick<DataFolder, 'artifacts' | 'jobs'>;
  /** Jobs that are worked on at once; others are queued. */
  activeJobsMax: number;
  queuedJobsMax: number;
  filesKeptDays: number;
  jobsKeptDays: number;
  /** NATS has on disk what it acknowledges; jobs are refused where it is not known to, unless that is allowed. */
  syncsAlways: boolean;
  lazySyncAllowed: boolean;
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
  let retention: Retention | undefined;
  return {
    start: async () => {
      const jobs = await nats.bucket<JobRecord>(jobsBucket);
      const deps: JobRunDeps & SubmitDeps = {
        book: createJobBook(jobs, (before, after) => jobMoved(tracing, before, after)),
        records: await nats.bucket<MiniBatchRecord>(miniBatchesBucket),
        work: await nats.workQueue<MiniBatchMessage>(batchWork),
        catalog,
        launches,
        store: createFolderStore(folder.artifacts),
        web: createWebInput(options.input),
        jobsFolder: folder.jobs,
        admission: new Admission({ jobs: () => loop?.all() ?? [], queuedMax: options.queuedJobsMax }),
        clock: () => new Date(),
        tracing,
        unsafe: undefined,
        log,
      };
      // Once the buckets are there.
      if (!options.lazySyncAllowed) deps.unsafe = await whyUnsafe(nats, options.syncsAlways);
      const run = (name: string, signal: AbortSignal): Promise<void> => runJob(deps, name, signal);
      const going = new JobLoop({
        book: deps.book,
        jobs,
        run,
        activeMax: options.activeJobsMax,
        clock: deps.clock,
        log,
      });
      loop = going;
      await going.start();
      showJobs(going);
      const { filesKeptDays, jobsKeptDays } = options;
      retention = new Retention({ ...deps, jobs, filesKeptDays, jobsKeptDays });
      retention.start();
      const services = [mount(deps, going, log)];
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
      await retention?.stop();
      await loop?.stop();
    },
  };
}

/** Why what NATS acknowledges may be lost in a power cut, if it may. */
async function whyUnsafe(nats: Nats, syncsAlways: boolean): Promise<string | undefined> {
  const lazy = await nats.lazyStreams([`KV_${jobsBucket}`, `KV_${miniBatchesBucket}`]);
  if (lazy.length > 0) return `its streams ${lazy.join(', ')} answer before what they answer for is on disk`;
  if (syncsAlways) return undefined;
  return 'it may sync its files only now and then: set `sync_interval: always` in its jetstream block, and MOORING_NATS_SYNC=always here to say so';
}

function mount(deps: JobRunDeps & SubmitDeps, loop: JobLoop, log: Logger): MountedService {
  const { book, clock, jobsFolder } = deps;
  const positions = (): ReadonlyMap<string, number> => loop.positions();
  return service<BatchServiceServer>(BatchServiceService, {
    submitJob: unary(log, createSubmitJob(deps)),
    getJob: unary(log, createGetJob(book, positions)),
    listJobs: unary(
      log,
      createListJobs(() => loop.all(), positions),
    ),
    cancelJob: unary(log, createCancelJob(book, clock)),
    resumeJob: unary(log, createResumeJob(book, deps.admission, clock)),
    verifyJob: unary(log, createVerifyJob(book, deps)),
    getJobLogs: unary(log, createGetJobLogs(book, jobsFolder)),
  });
}
