import { PlatformError } from '@mooring/errors';
import { errorOf, type ScoreReply } from '@mooring/scoring-stream';
import type { Dialect } from '../domain/routes.ts';
import { mayPassToCaller } from '../domain/request-headers.ts';

/** What goes back to the caller, before the headers that every answer has. */
export interface Answer {
  status: number;
  /** Names and values, alternating. */
  headers: string[];
  body: Buffer;
  /** Set when the answer is a failure. */
  error?: PlatformError;
}

const json = 'application/json';

export function jsonAnswer(value: unknown, status = 200): Answer {
  return { status, headers: ['content-type', json], body: Buffer.from(JSON.stringify(value)) };
}

/** An error in the words of the caller's protocol. Never a stack, a cause or a piece of the payload. */
export function errorAnswer(error: PlatformError, dialect: Dialect, requestId: string): Answer {
  const { code, reason, message } = error;
  const retryAfterMs = error.retryAfterToldMs;
  const retry = retryAfterMs === undefined ? {} : { retryAfterMs };
  const problems = error.problems.length > 0 ? { problems: error.problems } : {};
  const body =
    dialect === 'azure'
      ? { error: { code, reason, message, requestId, ...retry, ...problems } }
      : {
          error: message,
          code,
          reason,
          request_id: requestId,
          ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }),
        };
  const answer: Answer = { ...jsonAnswer(body, error.httpStatus), error };
  if (retryAfterMs !== undefined)
    answer.headers.push('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))));
  if (code === 'unauthenticated') answer.headers.push('www-authenticate', 'Bearer');
  if (code === 'model_failed') addModelError(answer.headers, error.modelStatus ?? 0, reason);
  return answer;
}

/** The instance's reply as an answer: success as it is, the model's own failure as 424 with its body. */
export function replyAnswer(reply: ScoreReply, dialect: Dialect, requestId: string): Answer {
  const error = errorOf(reply) ?? modelFailure(reply);
  if (error === undefined) return bodyAnswer(reply, reply.status || 200);
  const answer = errorAnswer(error, dialect, requestId);
  if (error.code !== 'model_failed' || (reply.body.length === 0 && reply.errorMessage !== '')) {
    addModelHeaders(answer.headers, reply);
    return answer;
  }
  const passed = bodyAnswer(reply, answer.status);
  addModelError(passed.headers, error.modelStatus ?? 0, error.reason);
  return { ...passed, error };
}

/** The container answered, but not with success (azureml-contract 4.4). */
function modelFailure(reply: ScoreReply): PlatformError | undefined {
  if (reply.status === 0 || (reply.status >= 200 && reply.status < 300)) return undefined;
  return new PlatformError('model_failed', 'MODEL_ANSWERED_FAILURE', `the model answered ${reply.status}`, {
    modelStatus: reply.status,
  });
}

function bodyAnswer(reply: ScoreReply, status: number): Answer {
  const headers: string[] = ['content-type', isHeaderValue(reply.contentType) ? reply.contentType || json : json];
  if (reply.inferenceHeaderLengthPlusOne > 0) {
    headers.push('inference-header-content-length', String(reply.inferenceHeaderLengthPlusOne - 1));
  }
  addModelHeaders(headers, reply);
  return { status, headers, body: reply.body };
}

function addModelHeaders(headers: string[], reply: ScoreReply): void {
  for (const { name, value } of reply.headers) {
    if (mayPassToCaller(name) && validName(name) && isHeaderValue(value)) headers.push(name, value);
  }
}

function addModelError(headers: string[], status: number, reason: string): void {
  headers.push(
    'ms-azureml-model-error-statuscode',
    String(status),
    'ms-azureml-model-error-reason',
    isHeaderValue(reason) ? reason : 'INVALID',
  );
}

const nameRule = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex -- control characters are what it keeps out
const valueRule = /^[\t\x20-\x7e\x80-\xff]*$/;

function validName(name: string): boolean {
  return nameRule.test(name);
}

/** A script may return anything as a header; what would break the answer is left out. */
export function isHeaderValue(value: string): boolean {
  return value === json || valueRule.test(value);
}
