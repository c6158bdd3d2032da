import type { EndedRequest, KeptRequests } from '@mooring/telemetry';
import type { Outcome } from './access-line.ts';
import type { Exchange } from './exchange.ts';

/** Keeps a finished request to be explained. Only what concerns no endpoint and went well is not worth it: health, metadata. */
export function keepRequest(exchange: Exchange, outcome: Outcome, requests: KeptRequests): void {
  const { endpoint, reply } = exchange;
  const failed = exchange.error !== undefined || exchange.callerGone;
  if (endpoint === undefined && !failed) return;
  const ended: EndedRequest = {
    requestId: exchange.requestId,
    clientRequestId: exchange.clientRequestId,
    atMs: exchange.beganAtMs,
    protocol: outcome.protocol,
    endpoint: endpoint === undefined ? '' : endpoint.name,
    status: outcome.status,
    reason: outcome.reason,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    totalMs: outcome.totalMs,
    parts: outcome.stages,
  };
  if (!failed) requests.answered(ended, reply);
  else if (exchange.marks.authenticated === undefined) requests.turnedAway(ended);
  else requests.failed(ended, reply);
}

const noParts = {
  auth: 0,
  read: 0,
  route: 0,
  queue: 0,
  batchWait: 0,
  transport: 0,
  preprocess: 0,
  compute: 0,
  postprocess: 0,
  write: 0,
};

/** Keeps what never became a request. */
export function keepRefused(requestId: string, status: number, reason: string, requests: KeptRequests): void {
  const nothing = { clientRequestId: '', endpoint: '', bytesIn: 0, bytesOut: 0, totalMs: 0, parts: noParts };
  requests.turnedAway({ ...nothing, requestId, status, reason, atMs: Date.now(), protocol: 'other' });
}
