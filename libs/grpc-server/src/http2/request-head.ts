import { errorCode, StreamError } from './protocol.ts';

/** The header list of a request, checked as HTTP/2 asks. Empty string = absent. */
export interface RequestHead {
  method: string;
  path: string;
  authority: string;
  contentType: string;
  /** `grpc-timeout` and `grpc-encoding` as sent. */
  timeout: string;
  encoding: string;
  /** -1 = not said. */
  contentLength: number;
  /** Everything that a handler may see: name, value, name, value, ... */
  metadata: string[];
}

const token = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/;
// eslint-disable-next-line no-control-regex -- these are the very characters that a value must not have
const badValue = /[\0\r\n]/;
const digits = /^\d{1,15}$/;

/** Throws StreamError for a list that is malformed. */
export function readRequestHead(fields: readonly string[]): RequestHead {
  const head: RequestHead = {
    method: '',
    path: '',
    authority: '',
    contentType: '',
    timeout: '',
    encoding: '',
    contentLength: -1,
    metadata: [],
  };
  let scheme = '';
  let regular = false;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const value = fields[at + 1] ?? '';
    if (name.charCodeAt(0) !== 0x3a) {
      regular = true;
      readField(head, name, value);
      continue;
    }
    if (regular) throw malformed('a pseudo-header after the others');
    if (name === ':path') head.path = once(head.path, name, value);
    else if (name === ':method') head.method = once(head.method, name, value);
    else if (name === ':scheme') scheme = once(scheme, name, value);
    else if (name === ':authority') head.authority = once(head.authority, name, value);
    else throw malformed(`an unknown pseudo-header ${name.slice(0, 40)}`);
  }
  if (head.method === '' || head.path === '' || scheme === '') throw malformed(':method, :path or :scheme is missing');
  return head;
}

/** Trailers of a request say nothing to gRPC; they must only be well formed. */
export function checkTrailers(fields: readonly string[]): void {
  for (let at = 0; at < fields.length; at += 2) checkField(fields[at] ?? '', fields[at + 1] ?? '');
}

function readField(head: RequestHead, name: string, value: string): void {
  switch (name) {
    case 'content-type':
      head.contentType = value;
      return;
    case 'te':
      if (value !== 'trailers') throw malformed('te may only say trailers');
      return;
    case 'grpc-timeout':
      head.timeout = value;
      return;
    case 'grpc-encoding':
      head.encoding = value;
      return;
    case 'grpc-accept-encoding':
    case 'accept-encoding':
      return;
    case 'content-length':
      if (!digits.test(value) || (head.contentLength >= 0 && head.contentLength !== Number(value))) {
        throw malformed('content-length is no number, or two');
      }
      head.contentLength = Number(value);
      return;
    case 'host':
      if (head.authority === '') head.authority = value;
      return;
    default:
      checkField(name, value);
      // Spaces around a value are no part of it; gRPC lets them be stripped where plain HTTP/2 would refuse them.
      head.metadata.push(name, value.trim());
  }
}

function checkField(name: string, value: string): void {
  if (!token.test(name)) throw malformed('a header name with characters that names cannot have');
  if (badValue.test(value)) throw malformed(`the value of ${name.slice(0, 40)} has characters that values cannot have`);
  switch (name) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'transfer-encoding':
    case 'upgrade':
      throw malformed(`${name} belongs to a single HTTP/1 connection`);
    case 'te':
      if (value !== 'trailers') throw malformed('te may only say trailers');
      return;
    default:
  }
}

function once(before: string, name: string, value: string): string {
  if (before !== '') throw malformed(`${name} twice`);
  if (value === '' && name !== ':authority') throw malformed(`${name} is empty`);
  return value;
}

function malformed(what: string): StreamError {
  return new StreamError(errorCode.protocolError, `malformed request: ${what}`);
}
