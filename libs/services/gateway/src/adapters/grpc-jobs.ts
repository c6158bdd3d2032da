import { BatchServiceClient } from '@mooring/contracts/batch';
import type { JobRecord } from '@mooring/domain';
import { createServiceClient, type ClientCallOptions } from '@mooring/rpc';
import type { BatchJobs, JobCallOptions } from '../ports.ts';

/** Whoever has a key of the endpoint asks; which of the two it was tells no more. */
const principal = 'endpoint-key';

/** The batch scheduler over gRPC. Dials when it is first asked; `close` ends the connection. */
export function createGrpcJobs(address: string): BatchJobs & { close(): void } {
  const advice = '; a request with an Idempotency-Key can be sent again without making a second job';
  const { call, close } = createServiceClient(BatchServiceClient, address, 'batch-scheduler', { advice });
  return {
    submit: async ({ endpoint, deployment, text, idempotencyKey }, options) => {
      const request = { endpoint, deployment, jobJson: text, idempotencyKey, principal };
      const { jobJson, created } = await call('submitJob', request, callOptions(options));
      return { job: recordOf(jobJson), created };
    },
    get: async (name, options) => recordOf((await call('getJob', { name }, callOptions(options))).jobJson),
    list: async ({ endpoint, size, token }, options) => {
      const request = { endpoint, pageSize: size, pageToken: token };
      const { jobJson, nextPageToken } = await call('listJobs', request, callOptions(options));
      return { jobs: jobJson.map(recordOf), next: nextPageToken };
    },
    close,
  };
}

function callOptions({ signal, deadlineMs, traceparent }: JobCallOptions): ClientCallOptions {
  return { signal, deadlineMs, ...(traceparent === '' ? {} : { metadata: { traceparent } }) };
}

function recordOf(text: string): JobRecord {
  return JSON.parse(text) as JobRecord;
}
