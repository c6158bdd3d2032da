import { PlatformError } from '@mooring/errors';
import { asObject, errorOfResponse } from './arm-error.ts';
import type { ArmResource } from './arm-rest.ts';
import { deadlineSignal, networkError, readText, withRetries, type Fetch } from './http.ts';

export interface JobCall {
  /** The batch endpoint's scoring address. */
  uri: string;
  key: string;
  /** `{properties: {inputData, outputData, ...}}` (azureml-contract 6.1). */
  body: unknown;
  /** Absent: the endpoint's default one. */
  deployment?: string | undefined;
  /** The same for each try of one request, which makes one job of any number of them. */
  idempotencyKey: string;
  signal?: AbortSignal | undefined;
  fetch?: Fetch | undefined;
}

const deadlineMs = 60_000;
const answerBytesMax = 4 * 1024 * 1024;

/** Makes a job of a batch endpoint; tried again while the data plane is not there. Rejects with the data plane's own PlatformError. */
export async function submitJob(call: JobCall): Promise<ArmResource> {
  const body = JSON.stringify(call.body);
  return withRetries(async () => {
    try {
      const response = await (call.fetch ?? globalThis.fetch)(call.uri, {
        method: 'POST',
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${call.key}`,
          'content-type': 'application/json',
          'idempotency-key': call.idempotencyKey,
          ...(call.deployment === undefined ? {} : { 'azureml-model-deployment': call.deployment }),
        },
        body,
        redirect: 'error',
        signal: deadlineSignal(deadlineMs, call.signal),
      });
      const text = await readText(response, answerBytesMax);
      if (!response.ok) throw errorOfResponse(response.status, text, response.headers);
      return jobOf(text);
    } catch (thrown) {
      throw networkError(thrown, { address: new URL(call.uri).origin, deadlineMs, signal: call.signal });
    }
  }, call.signal);
}

function jobOf(text: string): ArmResource {
  try {
    const body = asObject(JSON.parse(text));
    return { ...body, properties: asObject(body['properties']) };
  } catch (thrown) {
    const message = 'the answer is not JSON: is this the address of a batch endpoint?';
    throw new PlatformError('unavailable', 'NOT_DATA_PLANE', message, { cause: thrown });
  }
}
