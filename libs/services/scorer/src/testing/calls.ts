import { Operation, Priority, Protocol } from '@mooring/contracts/scoring';
import type { ScoreCall } from '@mooring/scoring-stream';

export function scoreCall(fields: Partial<ScoreCall> = {}): ScoreCall {
  return {
    operation: Operation.OPERATION_SCORE,
    protocol: Protocol.PROTOCOL_SCORE,
    endpoint: 'flowers',
    deployment: 'blue',
    requestId: 'r-1',
    deadlineMs: 0,
    priority: Priority.PRIORITY_LIVE,
    traceparent: '',
    contentType: 'application/json',
    inferenceHeaderLengthPlusOne: 0,
    method: 'POST',
    query: '',
    headers: [],
    modelName: '',
    modelVersion: '',
    idempotencyKey: '',
    body: Buffer.alloc(0),
    ...fields,
  };
}

export const mirrored: Partial<ScoreCall> = { priority: Priority.PRIORITY_MIRROR };
export const never = new AbortController().signal;
