import { BatchServiceClient } from '@mooring/contracts/batch';
import type { JobRecord } from '@mooring/domain';
import { createServiceClient } from '@mooring/rpc';
import type { JobsPort } from '../ports.ts';
import { advice } from './advice.ts';

/** The batch-scheduler over gRPC. `close` ends the connection. */
export function createGrpcJobs(address: string): JobsPort & { close(): void } {
  const { call, close } = createServiceClient(BatchServiceClient, address, 'batch-scheduler', {
    deadlineMs: 15_000,
    advice,
  });
  const jobOf = ({ jobJson }: { jobJson: string }): JobRecord => JSON.parse(jobJson) as JobRecord;
  return {
    get: async (name) => jobOf(await call('getJob', { name })),
    list: async ({ endpoint, size, token }) => {
      const { jobJson, nextPageToken } = await call('listJobs', { endpoint, pageSize: size, pageToken: token });
      return { jobs: jobJson.map((text) => JSON.parse(text) as JobRecord), next: nextPageToken };
    },
    cancel: async (name) => jobOf(await call('cancelJob', { name })),
    resume: async (name) => jobOf(await call('resumeJob', { name })),
    verify: async (name, wait) => {
      const { verificationJson } = await call('verifyJob', { name }, wait);
      return JSON.parse(verificationJson) as Record<string, unknown>;
    },
    logs: async (name, tail) => (await call('getJobLogs', { name, tail })).content,
    close,
  };
}
