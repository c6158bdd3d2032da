import { deflateSync, gzipSync } from 'node:zlib';
import { parseDuration } from '../duration.ts';
import type { Scope } from '../scope.ts';
import type { ExpectedStatuses } from './http-response.ts';

export type UrlLike = string | { url: string; name: string };
export type RequestBody = string | ArrayBuffer | ArrayBufferView | Readonly<Record<string, string>>;

export interface Params {
  headers?: Readonly<Record<string, string>>;
  tags?: Readonly<Record<string, string>>;
  timeout?: string | number;
  responseType?: 'text' | 'binary' | 'none';
  compression?: string;
  redirects?: number;
  responseCallback?: ExpectedStatuses | null;
}

/** A request with everything decided. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  readonly timeoutMs: number;
  readonly responseType: 'text' | 'binary' | 'none';
  readonly tags: Readonly<Record<string, string>>;
  readonly expected: ExpectedStatuses | null | undefined;
  readonly followsRedirects: boolean;
}

const supported = new Set([
  'headers',
  'tags',
  'timeout',
  'responseType',
  'compression',
  'redirects',
  'responseCallback',
]);
const defaultTimeoutMs = 60_000;
const urlsKept = 1_000;
const urls = new Map<string, URL>();

export function normalise(
  scope: Scope,
  method: string,
  target: UrlLike,
  body: RequestBody | null,
  params: Params,
): HttpRequest {
  const foreign = Object.keys(params).find((name) => !supported.has(name));
  if (foreign !== undefined) throw new Error(`http params: the stand-in runner has no '${foreign}'`);
  const text = typeof target === 'string' ? target : target.url;
  const headers: Record<string, string> = { 'User-Agent': scope.test.options?.userAgent ?? '' };
  const bytes = encode(body, headers);
  Object.assign(headers, params.headers);
  const sent = compress(bytes, params.compression, headers);
  const discard = scope.test.options?.discardResponseBodies === true;
  return {
    method: method.toUpperCase(),
    url: parseUrl(text),
    name: params.tags?.['name'] ?? (typeof target === 'string' ? text : target.name),
    headers,
    body: sent,
    timeoutMs: parseDuration(params.timeout ?? defaultTimeoutMs),
    responseType: params.responseType ?? (discard ? 'none' : 'text'),
    tags: params.tags ?? {},
    expected: params.responseCallback,
    followsRedirects: params.redirects !== 0,
  };
}

function parseUrl(text: string): URL {
  let url = urls.get(text);
  if (url === undefined) {
    if (!URL.canParse(text)) throw new Error(`'${text}' is not a URL; it has to begin with http:// or https://`);
    url = new URL(text);
    if (urls.size >= urlsKept) urls.clear();
    urls.set(text, url);
  }
  return url;
}

function encode(body: RequestBody | null, headers: Record<string, string>): Buffer | undefined {
  if (body === null) return undefined;
  if (typeof body === 'string') return Buffer.from(body, 'utf8');
  if (body instanceof ArrayBuffer) return Buffer.from(body);
  if (ArrayBuffer.isView(body)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  headers['Content-Type'] = 'application/x-www-form-urlencoded';
  return Buffer.from(new URLSearchParams(body).toString(), 'utf8');
}

function compress(
  body: Buffer | undefined,
  compression: string | undefined,
  headers: Record<string, string>,
): Buffer | undefined {
  if (body === undefined || compression === undefined || compression === '') return body;
  if (compression !== 'gzip' && compression !== 'deflate') {
    throw new Error(`http params: the stand-in runner compresses by gzip or deflate, not '${compression}'`);
  }
  headers['Content-Encoding'] = compression;
  return compression === 'gzip' ? gzipSync(body) : deflateSync(body);
}
