import http, { type RefinedResponse } from 'k6/http';
import type { Outcome } from './outcome.ts';
import { oipBody, scoreBody } from './payload.ts';
import { settings } from './settings.ts';

const { baseUrl, deadlineMs, deployment, endpoint, key } = settings;

/** Caller's limit, our capacity, the deadline: an overloaded server may say these, and nothing else. */
const refusals = [408, 429, 503, 504];

const headers: { [name: string]: string } = {
  'Content-Type': 'application/json',
  Authorization: `Bearer ${key}`,
  'x-request-timeout-ms': String(deadlineMs),
};
if (deployment !== '') headers['azureml-model-deployment'] = deployment;

// The server ends what is late; a client that gives up first would never see how.
const patience = deadlineMs + 1000;

export function callScore(): Promise<Outcome> {
  return call(`${baseUrl}/endpoints/${endpoint}/score`, scoreBody, 'score');
}

export function callOip(): Promise<Outcome> {
  return call(`${baseUrl}/v2/models/${endpoint}/infer`, oipBody, 'oip');
}

async function call(url: string, body: string, name: string): Promise<Outcome> {
  const response = await http.asyncRequest('POST', url, body, {
    headers,
    timeout: patience,
    tags: { name },
    responseCallback: http.expectedStatuses(200, ...refusals),
  });
  const refused = refusals.includes(response.status);
  return {
    kind: response.status === 200 ? 'answered' : refused ? 'refused' : 'failed',
    status: response.status === 0 ? 'none' : String(response.status),
    detail: response.status === 200 ? '' : response.error || String(response.body).slice(0, 200),
    durationMs: response.timings.duration,
    hasRetryAfter: response.headers['Retry-After'] !== undefined,
    hasReason: refused && reasonOf(response) !== '',
  };
}

/** Azure's shape has it below `error`, the Open Inference Protocol's at the top. */
function reasonOf(response: RefinedResponse<undefined>): string {
  try {
    const body = response.json() as { reason?: string; error?: { reason?: string } };
    return body.reason ?? body.error?.reason ?? '';
  } catch {
    return '';
  }
}
