import type { Logger } from 'pino';
import { BatchServiceService, type BatchServiceServer } from '@mooring/contracts/batch';
import { service, startGrpcServer, unary, type GrpcServer } from '@mooring/rpc';
import type { Lifecycle } from '@mooring/runtime';
import type { BatchSchedulerConfig } from './config.ts';
import { refuseJobs } from './handlers/refuse-jobs.ts';

/** Serves gRPC with health and reflection; every job is refused. */
export function createBatchScheduler(config: BatchSchedulerConfig, log: Logger): Lifecycle {
  let server: GrpcServer | undefined;
  return {
    start: async () => {
      const batch = service<BatchServiceServer>(BatchServiceService, {
        submitJob: unary(log, refuseJobs),
        getJob: unary(log, refuseJobs),
        listJobs: unary(log, refuseJobs),
        cancelJob: unary(log, refuseJobs),
        resumeJob: unary(log, refuseJobs),
        verifyJob: unary(log, refuseJobs),
        getJobLogs: unary(log, refuseJobs),
      });
      server = await startGrpcServer({ ...config, services: [batch], log, ready: () => true });
    },
    ready: () => server !== undefined,
    stop: async (signal) => server?.stop(signal),
  };
}
