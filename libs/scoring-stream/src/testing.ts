import type { ScoreCall } from './port.ts';

/** A call for tests: `POST /score` of endpoint `cars`, with `fields` changed. */
export function call(fields: Partial<ScoreCall> = {}): ScoreCall {
  return {
    operation: 1,
    protocol: 1,
    endpoint: 'cars',
    deployment: '',
    requestId: 'r-1',
    deadlineMs: 10_000,
    priority: 1,
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
