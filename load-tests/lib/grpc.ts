import grpc from 'k6/net/grpc';
import type { Outcome } from './outcome.ts';
import { inferRequest } from './payload.ts';
import { settings } from './settings.ts';

const { deadlineMs, grpcTarget, grpcTls, key, surfaces } = settings;
const client = new grpc.Client();
const isChosen = surfaces.includes('grpc');
if (isChosen) client.load(['../../proto/third_party/inference'], 'grpc_service.proto');
const request = isChosen ? inferRequest() : {};
const params = { metadata: { authorization: `Bearer ${key}` }, timeout: deadlineMs };
// Module variables belong to one virtual user, so each has a connection of its own.
let isConnected = false;

export async function callGrpc(): Promise<Outcome> {
  const connects = !isConnected;
  if (connects) client.connect(grpcTarget, { plaintext: !grpcTls, timeout: deadlineMs });
  isConnected = true;
  const startedAt = Date.now();
  const { status, trailers } = await client.asyncInvoke('inference.GRPCInferenceService/ModelInfer', request, params);
  const durationMs = Date.now() - startedAt;
  const given = trailers as { [name: string]: string[] | undefined };
  // When the caller's own clock ended the call, the server had no chance to add anything.
  const isCallersClock = status === grpc.StatusDeadlineExceeded;
  return {
    kind: status === grpc.StatusOK ? 'answered' : isRefusal(status) ? 'refused' : 'failed',
    status: `grpc ${status}`,
    // Connecting is no part of an answer's duration, for REST neither.
    durationMs: connects ? undefined : durationMs,
    hasRetryAfter: isCallersClock || given['retry-after-ms'] !== undefined,
    hasReason: isCallersClock || given['mooring-reason'] !== undefined,
  };
}

/** The same three that REST says as 429, 503 and 504. */
function isRefusal(status: number): boolean {
  return (
    status === grpc.StatusResourceExhausted ||
    status === grpc.StatusUnavailable ||
    status === grpc.StatusDeadlineExceeded
  );
}
