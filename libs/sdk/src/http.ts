import { setTimeout as delay } from 'node:timers/promises';
import { PlatformError } from '@mooring/errors';
import { errorOfResponse } from './arm-error.ts';

export type Fetch = typeof globalThis.fetch;

export interface HttpOptions {
  /** Base address, such as `http://127.0.0.1:8082`. */
  url: string;
  token: string;
  fetch?: Fetch | undefined;
}

export interface Call {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH';
  /** Path and query below the base address. */
  path: string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** Of one attempt, ms. */
  deadlineMs?: number;
  signal?: AbortSignal | undefined;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON; undefined when the answer had no body. */
  body: unknown;
}

export interface Http {
  send(call: Call): Promise<Answer>;
  /** The answer with its body still to be read; `signal` ends that, too. Made once. */
  open(call: Call): Promise<Response>;
  /** Path and query of an address that the server gave. Only those are used: the token goes to our server alone. */
  pathOf(address: string): string;
}

const callDeadlineMs = 30_000;
const attemptsMax = 4;
const retryAfterMaxMs = 5_000;
/** No listing of ours comes near; it bounds what a wrong address can make us read. */
const bodyBytesMax = 64 * 1024 * 1024;

/**
 * Calls of the management REST. Rejects with PlatformError: the server's own, `unavailable` / PLATFORM_UNREACHABLE,
 * `deadline_exceeded` / MANAGEMENT_TIMEOUT or `cancelled`. Reads are tried again while the server is unavailable;
 * writes are not, because a lost answer does not say whether they happened.
 */
export function createHttp(options: HttpOptions): Http {
  const base = baseOf(options.url);
  const respond = async (call: Call, signal: AbortSignal | undefined): Promise<Response> => {
    const send = options.fetch ?? globalThis.fetch;
    const response = await send(new URL(base + call.path), {
      method: call.method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${options.token}`,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      // An address that moves elsewhere must not get the token.
      redirect: 'error',
      signal: signal ?? null,
    });
    if (response.ok) return response;
    throw errorOfResponse(response.status, await readText(response, bodyBytesMax), response.headers);
  };
  const fetchOnce = async (call: Call): Promise<Answer> => {
    const deadlineMs = call.deadlineMs ?? callDeadlineMs;
    try {
      const response = await respond(call, deadlineSignal(deadlineMs, call.signal));
      const text = await readText(response, bodyBytesMax);
      return { status: response.status, headers: response.headers, body: parseBody(text, call.path) };
    } catch (thrown) {
      throw networkError(thrown, { address: base, deadlineMs, signal: call.signal });
    }
  };
  return {
    pathOf: (address) => {
      const { pathname, search } = new URL(address, `${base}/`);
      return pathname + search;
    },
    open: (call) => respond(call, call.signal),
    send: (call) => (call.method === 'GET' ? withRetries(() => fetchOnce(call), call.signal) : fetchOnce(call)),
  };
}

export function deadlineSignal(deadlineMs: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(deadlineMs);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}

/** Up to four attempts while the error says that the same call may succeed later. */
export async function withRetries<T>(attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let made = 1; ; made += 1) {
    try {
      return await attempt();
    } catch (thrown) {
      const error = PlatformError.from(thrown);
      const worthIt = error.code === 'unavailable' || error.code === 'resource_exhausted';
      if (!worthIt || made >= attemptsMax || signal?.aborted) throw thrown;
      // Jitter, so that clients which failed together do not come back together.
      const backOffMs = 100 * 2 ** made * (0.5 + Math.random());
      const waitMs = Math.min(error.retryAfterMs ?? backOffMs, retryAfterMaxMs);
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** What a failed fetch means. PlatformErrors pass as they are. */
export function networkError(
  thrown: unknown,
  call: { address: string; deadlineMs: number; signal: AbortSignal | undefined },
): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  if (call.signal?.aborted)
    return new PlatformError('cancelled', 'CANCELLED', 'The call was cancelled.', { cause: thrown });
  if ((thrown as Error).name === 'TimeoutError') {
    const message = `${call.address} did not answer within ${call.deadlineMs / 1000} s`;
    return new PlatformError('deadline_exceeded', 'MANAGEMENT_TIMEOUT', message, { cause: thrown });
  }
  const why = reasonOf(thrown);
  return new PlatformError('unavailable', 'PLATFORM_UNREACHABLE', `nothing answers at ${call.address} (${why})`, {
    cause: thrown,
  });
}

function reasonOf(thrown: unknown): string {
  const cause = (thrown as { cause?: { code?: string; message?: string } }).cause;
  return cause?.code ?? cause?.message ?? (thrown as Error).message;
}

/** The text of an answer. Throws PlatformError `too_large` beyond `bytesMax`. */
export async function readText(response: Response, bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.byteLength;
    if (bytes > bytesMax)
      throw new PlatformError('too_large', 'ANSWER_TOO_LARGE', `the answer has more than ${bytesMax} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseBody(text: string, path: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    const message = `the answer to ${path.split('?')[0]} is not JSON: is this the management address?`;
    throw new PlatformError('unavailable', 'NOT_MANAGEMENT', message, { cause: thrown });
  }
}

function baseOf(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new PlatformError(
      'invalid_argument',
      'BAD_URL',
      `'${url}' is not an http(s) address such as http://127.0.0.1:8082`,
    );
  }
  return url.replace(/\/+$/, '');
}
