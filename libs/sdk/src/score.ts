import { PlatformError } from '@mooring/errors';
import { errorOfResponse } from './arm-error.ts';
import { deadlineSignal, networkError, type Fetch } from './http.ts';

export interface ScoreCall {
  /** The endpoint's scoring address. */
  uri: string;
  key: string;
  body: Uint8Array<ArrayBuffer>;
  contentType: string;
  /** Bypasses the traffic table. */
  deployment?: string | undefined;
  deadlineMs?: number | undefined;
  signal?: AbortSignal | undefined;
  fetch?: Fetch | undefined;
}

export interface ScoreAnswer {
  body: Buffer;
  contentType: string;
  /** The deployment that answered. */
  deployment: string | undefined;
  requestId: string | undefined;
}

/** Beyond Azure's longest scoring timeout (180 s), so that the server's own answer wins. */
const scoreDeadlineMs = 190_000;

/** One scoring request. Rejects with the PlatformError that the status and the body name; `deployment` of a failure is in its message. */
export async function score(call: ScoreCall): Promise<ScoreAnswer> {
  const deadlineMs = call.deadlineMs ?? scoreDeadlineMs;
  try {
    const response = await (call.fetch ?? globalThis.fetch)(call.uri, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${call.key}`,
        'content-type': call.contentType,
        ...(call.deployment === undefined ? {} : { 'azureml-model-deployment': call.deployment }),
      },
      body: call.body,
      redirect: 'error',
      signal: deadlineSignal(deadlineMs, call.signal),
    });
    const body = Buffer.from(await response.arrayBuffer());
    const deployment = response.headers.get('azureml-model-deployment') ?? undefined;
    if (!response.ok) throw failure(response, body, deployment);
    return {
      body,
      contentType: response.headers.get('content-type') ?? '',
      deployment,
      requestId: response.headers.get('x-request-id') ?? response.headers.get('x-ms-request-id') ?? undefined,
    };
  } catch (thrown) {
    throw networkError(thrown, { address: new URL(call.uri).origin, deadlineMs, signal: call.signal });
  }
}

function failure(response: Response, body: Buffer, deployment: string | undefined): PlatformError {
  const error = errorOfResponse(response.status, body.toString('utf8'), response.headers);
  const model = response.headers.get('ms-azureml-model-error-statuscode');
  const facts = [
    deployment && `deployment ${deployment}`,
    model && `the model answered ${model}`,
    response.headers.get('x-request-id') && `request ${response.headers.get('x-request-id')}`,
  ].filter(Boolean);
  const message = facts.length === 0 ? error.message : `${error.message} (${facts.join(', ')})`;
  const retryAfterMs = error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs };
  return new PlatformError(error.code, error.reason, message, { problems: error.problems, ...retryAfterMs });
}
