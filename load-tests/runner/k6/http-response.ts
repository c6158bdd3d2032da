import type { Scope } from '../scope.ts';

export interface ExpectedStatuses {
  readonly expected: readonly { min: number; max: number }[];
}

const expectedKey = Symbol('expected statuses');
const expectedByDefault: ExpectedStatuses = { expected: [{ min: 200, max: 399 }] };

export function setDefaultExpected({ vu }: Scope, expected: ExpectedStatuses | null): void {
  vu.store.set(expectedKey, expected);
}

/** Undefined: the caller wants no answer to be judged. */
export function isExpected(
  { vu }: Scope,
  own: ExpectedStatuses | null | undefined,
  status: number,
): boolean | undefined {
  const stored = vu.store.get(expectedKey) as ExpectedStatuses | null | undefined;
  const applying = own === undefined ? (stored === undefined ? expectedByDefault : stored) : own;
  return applying?.expected.some(({ min, max }) => status >= min && status <= max);
}

export interface Timings {
  blocked: number;
  connecting: number;
  tls_handshaking: number;
  sending: number;
  waiting: number;
  receiving: number;
  duration: number;
}

export interface ResponseParts {
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly proto: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | ArrayBuffer | null;
  readonly timings: Timings;
  readonly error: string;
  readonly errorCode: number;
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly request: { method: string; url: string; headers: Record<string, string[]>; body: string };
}

/** An answer in k6's words. A request that failed is one too, with status 0 and `error`. */
export class K6Response {
  readonly url: string;
  readonly status: number;
  readonly status_text: string;
  readonly proto: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | ArrayBuffer | null;
  readonly timings: Timings;
  readonly error: string;
  readonly error_code: number;
  readonly remote_ip: string;
  readonly remote_port: number;
  readonly request: ResponseParts['request'];
  readonly cookies = {};

  constructor(parts: ResponseParts) {
    this.url = parts.url;
    this.status = parts.status;
    this.status_text = parts.statusText;
    this.proto = parts.proto;
    this.headers = parts.headers;
    this.body = parts.body;
    this.timings = parts.timings;
    this.error = parts.error;
    this.error_code = parts.errorCode;
    this.remote_ip = parts.remoteIp;
    this.remote_port = parts.remotePort;
    this.request = parts.request;
  }

  /** The body as JSON, or the part of it at `outputs.0.name`. */
  json(selector?: string): unknown {
    if (this.body === null) throw new Error('the body is null, so there is no JSON in it');
    const text = typeof this.body === 'string' ? this.body : Buffer.from(this.body).toString('utf8');
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new Error(`cannot parse the answer to ${this.request.method} ${this.url} as JSON`, { cause: error });
    }
    if (selector === undefined) return value;
    for (const part of selector.split('.')) {
      if (typeof value !== 'object' || value === null) return undefined;
      value = (value as Record<string, unknown>)[part];
    }
    return value;
  }
}

/** `content-type` as `Content-Type`, several values of one name joined: as k6 has them. */
export function canonicalHeaders(raw: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = canonicalName(raw[index] ?? '');
    const value = raw[index + 1] ?? '';
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

const namesKept = 1_000;
const names = new Map<string, string>();

function canonicalName(name: string): string {
  let canonical = names.get(name);
  if (canonical === undefined) {
    canonical = name.toLowerCase().replaceAll(/(^|-)([a-z])/g, (letters) => letters.toUpperCase());
    if (names.size >= namesKept) names.clear();
    names.set(name, canonical);
  }
  return canonical;
}
