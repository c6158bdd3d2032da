import type { Header } from '@mooring/contracts/scoring';
import { checkIdempotencyKey, isEndpointName } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';

/** By name in lower case. */
export type Headers = Readonly<Record<string, string | undefined>>;

/** What the front door of Azure cuts a client's own id to (azureml-contract 4.2). */
const clientIdLength = 40;
/** Beyond this many characters the inference server answers 431. */
const clientIdLengthMax = 100;
const deadlineMaxMs = 2 ** 31 - 1;
/** Never handed on to a model, its logs or a mirror. */
const credentials = new Set(['authorization', 'proxy-authorization', 'cookie', 'api-key', 'x-api-key']);
/** Belong to one connection. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
  'expect',
  // The body is handed on decompressed and whole.
  'content-encoding',
  'content-length',
]);

/** The caller's own id, to be echoed; empty when there is none or it holds other characters than the contract allows. */
export function clientRequestId(headers: Headers): string {
  for (const name of ['x-ms-client-request-id', 'x-request-id', 'x-ms-request-id']) {
    if ((headers[name]?.length ?? 0) > clientIdLengthMax) {
      throw new PlatformError(
        'headers_too_large',
        'REQUEST_ID_TOO_LONG',
        `the header ${name} may have at most ${clientIdLengthMax} characters`,
      );
    }
  }
  const id = headers['x-ms-client-request-id'] ?? '';
  return /^[\w-]+$/.test(id) ? id.slice(0, clientIdLength) : '';
}

/** `x-request-timeout-ms`; 0 when absent. */
export function requestedDeadlineMs(headers: Headers): number {
  return wholeNumber(headers, 'x-request-timeout-ms', 1, deadlineMaxMs) ?? 0;
}

/** Length of the JSON part of a binary tensor request, plus one; 0 when the header is absent. */
export function inferenceHeaderLengthPlusOne(headers: Headers): number {
  return (wholeNumber(headers, 'inference-header-content-length', 0, deadlineMaxMs) ?? -1) + 1;
}

/** `Idempotency-Key`; empty when absent. Throws `invalid_argument` for one that is empty, too long, not printable or not alone. */
export function idempotencyKey(headers: Headers, rawHeaders: readonly string[], name = 'Idempotency-Key'): string {
  const wanted = name.toLowerCase();
  if (headers[wanted] === undefined) return '';
  const isKey = (index: number): boolean => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted;
  return checkIdempotencyKey(
    rawHeaders.filter((_value, index) => isKey(index)),
    `the header ${name}`,
  );
}

/** What makes retries of a job one job: `Idempotency-Key`, else what Azure's SDK sends, spelt like this (azureml-contract 6.1). */
export function jobIdempotencyKey(headers: Headers, rawHeaders: readonly string[]): string {
  return (
    idempotencyKey(headers, rawHeaders) ||
    idempotencyKey(headers, rawHeaders, 'repeatability_request-id') ||
    idempotencyKey(headers, rawHeaders, 'Repeatability-Request-ID')
  );
}

function wholeNumber(headers: Headers, name: string, least: number, most: number): number | undefined {
  const text = headers[name];
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new PlatformError(
    'invalid_argument',
    'HEADER_INVALID',
    `the header ${name} must be a whole number from ${least} to ${most}`,
  );
}

/** The key of `Authorization: Bearer <key>`, or undefined. */
export function bearerKey(headers: Headers): string | undefined {
  return /^bearer +([^\s,]{1,512}) *$/i.exec(headers['authorization'] ?? '')?.[1];
}

/** The deployment that the caller pins by header or by model version; empty when neither. */
export function pinnedDeployment(headers: Headers, version: string | undefined): string {
  const header = headers['azureml-model-deployment']?.trim() ?? '';
  const path = version ?? '';
  if (header !== '' && path !== '' && header.toLowerCase() !== path.toLowerCase()) {
    throw new PlatformError(
      'invalid_argument',
      'DEPLOYMENT_AMBIGUOUS',
      'the model version in the path and the header azureml-model-deployment name different deployments; send one of them',
    );
  }
  const pin = path || header;
  if (pin !== '' && !isEndpointName(pin)) {
    throw new PlatformError(
      'not_found',
      'DEPLOYMENT_NOT_FOUND',
      'there is no deployment of that name under this endpoint',
    );
  }
  return pin;
}

/** The caller's headers as a model may see them: lower case, without credentials and what concerns one connection. */
export function forwardedHeaders(rawHeaders: readonly string[]): Header[] {
  const headers: Header[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    if (credentials.has(name) || hopByHop.has(name)) continue;
    headers.push({ name, value: rawHeaders[index + 1] as string });
  }
  return headers;
}

/** True for a model's own header that may go to the caller as it is. */
export function mayPassToCaller(name: string): boolean {
  const lower = name.toLowerCase();
  if (lower === 'content-encoding') return true;
  return !hopByHop.has(lower) && !ownHeaders.has(lower);
}

/** Set by the gateway; a model cannot set them. */
const ownHeaders = new Set([
  'x-request-id',
  'x-ms-request-id',
  'x-ms-client-request-id',
  'azureml-model-deployment',
  'server-timing',
  'x-mooring-decision',
  'x-mooring-cache',
  'x-mooring-idempotency',
  'idempotency-replayed',
  'date',
  'content-type',
  'inference-header-content-length',
  'ms-azureml-model-error-statuscode',
  'ms-azureml-model-error-reason',
]);

const traceparentRule = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** A well-formed W3C traceparent, or empty. */
export function traceparentOf(headers: Headers): string {
  const value = headers['traceparent'] ?? '';
  return traceparentRule.test(value) ? value : '';
}
