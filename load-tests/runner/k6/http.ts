import { requireInit, requireRunning } from '../scope.ts';
import { normalise, type Params, type RequestBody, type UrlLike } from './http-request.ts';
import { exchange } from './http-exchange.ts';
import { type ExpectedStatuses, type K6Response, setDefaultExpected } from './http-response.ts';

/** The one way to send a request that works in k6 and here. */
export function asyncRequest(
  method: string,
  target: UrlLike,
  body?: RequestBody | null,
  params?: Params | null,
): Promise<K6Response> {
  const scope = requireRunning('http.asyncRequest()');
  return exchange(scope, normalise(scope, method, target, body ?? null, params ?? {}));
}

function refuse(name: string, instead: string): () => never {
  return () => {
    throw new Error(`http.${name}() blocks until the answer is there, which the stand-in runner cannot do: ${instead}`);
  };
}

const awaiting = (method: string): string => `await http.asyncRequest('${method}', url, body, params)`;

export const get = refuse('get', awaiting('GET'));
export const head = refuse('head', awaiting('HEAD'));
export const post = refuse('post', awaiting('POST'));
export const put = refuse('put', awaiting('PUT'));
export const patch = refuse('patch', awaiting('PATCH'));
export const del = refuse('del', awaiting('DELETE'));
export const options = refuse('options', awaiting('OPTIONS'));
export const request = refuse('request', 'await http.asyncRequest(method, url, body, params)');
export const batch = refuse('batch', 'await Promise.all([http.asyncRequest(...), http.asyncRequest(...)])');

/** Keeps what varies out of the metric's `name` tag. */
export function url(strings: TemplateStringsArray, ...values: readonly (string | number | boolean)[]): UrlLike {
  return { url: String.raw({ raw: strings }, ...values), name: strings.join('${}') };
}

export function expectedStatuses(...expected: readonly (number | { min: number; max: number })[]): ExpectedStatuses {
  return { expected: expected.map((one) => (typeof one === 'number' ? { min: one, max: one } : one)) };
}

/** Which statuses do not count as failed; from here on, for this virtual user. */
export function setResponseCallback(expected: ExpectedStatuses | null): void {
  setDefaultExpected(requireInitOrRunning(), expected);
}

function requireInitOrRunning(): ReturnType<typeof requireInit> {
  try {
    return requireInit('http.setResponseCallback()');
  } catch {
    return requireRunning('http.setResponseCallback()');
  }
}

export function cookieJar(): never {
  throw new Error('the stand-in runner keeps no cookies; send a cookie header');
}

export function file(): never {
  throw new Error('the stand-in runner sends no multipart forms; give the body as text or bytes');
}

export default {
  asyncRequest,
  get,
  head,
  post,
  put,
  patch,
  del,
  options,
  request,
  batch,
  url,
  expectedStatuses,
  setResponseCallback,
  cookieJar,
  file,
};
