import { isRequestId } from '@mooring/domain';
import { boundary } from '@mooring/errors';
import type { EndedRequest, KeptRequests } from '@mooring/telemetry';
import type { Served } from './served-requests.ts';

/** Keeps a finished gRPC request to be explained. */
export function keepServed(served: Served, requests: KeptRequests): void {
  const { context, error, answer, stages, clientId } = served;
  const ended: EndedRequest = {
    requestId: context.requestId,
    clientRequestId: clientId !== '' && isRequestId(clientId) ? clientId : '',
    atMs: served.atMs,
    protocol: served.protocol,
    endpoint: served.endpoint,
    status: error === undefined ? 0 : boundary(error.code).grpc,
    reason: error === undefined ? '' : error.reason,
    bytesIn: served.bytesIn,
    bytesOut: answer === undefined ? 0 : answer.body.length,
    totalMs: served.totalMs,
    parts: {
      auth: stages.auth,
      read: 0,
      route: stages.route,
      queue: stages.queue,
      batchWait: stages.batch_wait,
      transport: stages.transport,
      preprocess: stages.preprocess,
      compute: stages.compute,
      postprocess: stages.postprocess,
      write: 0,
    },
  };
  if (error === undefined) requests.answered(ended, answer);
  else if (!served.authorized || served.endpoint === '') requests.turnedAway(ended);
  else requests.failed(ended, answer);
}
