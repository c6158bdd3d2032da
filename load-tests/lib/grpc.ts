import grpc, { type GrpcError, type Response } from 'k6/net/grpc';
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
  try {
    if (connects) client.connect(grpcTarget, { plaintext: !grpcTls, timeout: deadlineMs });
    isConnected = true;
    const startedAt = Date.now();
    const response = await client.asyncInvoke('inference.GRPCInferenceService/ModelInfer', request, params);
    // Connecting is no part of an answer's duration, for REST neither.
    return toOutcome(response, connects ? undefined : Date.now() - startedAt);
  } catch (error) {
    // No connection: the next iteration tries again.
    isConnected = false;
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', status: 'none', detail, durationMs: undefined, hasRetryAfter: false, hasReason: false };
  }
}

function toOutcome({ status, trailers, error }: Response, durationMs: number | undefined): Outcome {
  const given = trailers as { [name: string]: string[] | undefined };
  // When the caller's own clock ended the call, the server had no chance to add anything.
  const isCallersClock = status === grpc.StatusDeadlineExceeded;
  return {
    kind: status === grpc.StatusOK ? 'answered' : isRefusal(status) ? 'refused' : 'failed',
    status: `grpc ${status}`,
    detail: status === grpc.StatusOK ? '' : ((error as GrpcError | null)?.message ?? ''),
    durationMs,
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
