import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { batchWork, type Launches } from '@mooring/batch-jobs';
import type { DataFolder } from '@mooring/config';
import {
  jobsBucket,
  miniBatchesBucket,
  type JobRecord,
  type JobTrouble,
  type MiniBatchMessage,
  type MiniBatchRecord,
} from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import { startGrpcServer, type GrpcServer } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import type { Tracing } from '@mooring/telemetry';
import { askLoad } from './adapters/ask-load.ts';
import { createRunnerOfJob } from './run/runner-of-job.ts';
import { JobWorkers } from './run/job-workers.ts';

export interface WorkerOptions {
  address: string;
  listenFd?: number | undefined;
  folder: Pick<DataFolder, 'jobs'>;
  /** Of all jobs together. */
  processesMax: number;
  /** To online requests, wherever they are answered. */
  giveWay: boolean;
  ackWaitMs: number;
  launches: Launches;
  tracing: Tracing;
}

/** Takes mini-batches of running jobs from the queue and scores them. Its server has health and reflection only. */
export function createWorker(options: WorkerOptions, nats: Nats, log: Logger): Lifecycle {
  const { processesMax, ackWaitMs, launches, tracing } = options;
  const jobsFolder = options.folder.jobs;
  let server: GrpcServer | undefined;
  let workers: JobWorkers | undefined;
  return {
    start: async () => {
      workers = new JobWorkers({
        jobs: await nats.bucket<JobRecord>(jobsBucket),
        records: await nats.bucket<MiniBatchRecord>(miniBatchesBucket),
        troubles: await nats.bucket<JobTrouble>(miniBatchesBucket),
        work: await nats.workQueue<MiniBatchMessage>({ ...batchWork, ackWaitMs }),
        createRunner: (job, signal) => createRunnerOfJob(job, { launches, jobsFolder, signal }),
        jobsFolder,
        processesMax,
        askLoad: options.giveWay ? () => askLoad(nats) : undefined,
        ackWaitMs,
        worker: `worker-${process.pid}-${randomUUID().slice(0, 8)}`,
        clock: () => new Date(),
        tracing,
        log,
      });
      await workers.start();
      const { address, listenFd } = options;
      server = await startGrpcServer({ address, listenFd, services: [], log, ready: () => true });
    },
    ready: () => server !== undefined,
    stop: async (signal) => {
      await server?.stop(signal);
      await workers?.stop();
    },
  };
}
