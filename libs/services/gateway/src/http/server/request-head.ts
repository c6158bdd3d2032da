import { targetCharacters, tokenCharacters, valueCharacters } from './characters.ts';
import { framingOf } from './framing.ts';
import { lowerCaseName } from './header-names.ts';
import { malformed, tooManyHeaders, versionUnsupported } from './problems.ts';

/** Request line and headers, checked and taken apart. Never changed: a caller that repeats its head gets the same object. */
export interface RequestHead {
  readonly method: string;
  /** As sent: `/path?query`, `http://host/path`, `*`, or `host:port` of CONNECT. */
  readonly target: string;
  readonly minorVersion: 0 | 1;
  /** Names and values as sent, alternating. */
  readonly rawHeaders: readonly string[];
  /** By name in lower case. What came several times is joined, or the first where a list makes no sense. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Undefined for a chunked body; 0 for none. */
  readonly contentLength: number | undefined;
  /** False when the caller wants the connection closed after the answer. */
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  /** For the server's user: what it worked out from this head, to be found again when the head is repeated. */
  notes: unknown;
}

/** Methods are short words; anything longer is not worth a look. */
const methodLengthMax = 32;
const space = 0x20;
const tab = 0x09;
const colon = 0x3a;
const cr = 0x0d;
const lf = 0x0a;

/**
 * Parses a head without the empty line at its end: every line of `text` ends with CR LF. One character is one byte.
 * Throws PlatformError.
 */
export function parseHead(text: string, headersMax: number): RequestHead {
  const lineEnd = text.indexOf('\r\n');
  const { method, target, minorVersion } = parseLine(text.slice(0, lineEnd));
  const rawHeaders: string[] = [];
  const headers: Record<string, string | undefined> = { __proto__: null } as never;
  let at = lineEnd + 2;
  while (at < text.length) {
    if (rawHeaders.length >= headersMax * 2) throw tooManyHeaders(headersMax);
    at = parseField(text, at, rawHeaders, headers);
  }
  return { method, target, minorVersion, rawHeaders, headers, ...framingOf(headers, minorVersion), notes: undefined };
}

function parseLine(line: string): { method: string; target: string; minorVersion: 0 | 1 } {
  let at = 0;
  while (tokenCharacters[line.charCodeAt(at)] === 1) at += 1;
  if (at === 0 || at > methodLengthMax || line.charCodeAt(at) !== space) throw malformed('its method cannot be read');
  const method = line.slice(0, at);
  const from = at + 1;
  at = from;
  while (targetCharacters[line.charCodeAt(at)] === 1) at += 1;
  if (at === from || line.charCodeAt(at) !== space) throw malformed('its target cannot be read');
  return { method, target: line.slice(from, at), minorVersion: minorVersionOf(line.slice(at + 1)) };
}

function minorVersionOf(version: string): 0 | 1 {
  if (version === 'HTTP/1.1') return 1;
  if (version === 'HTTP/1.0') return 0;
  throw /^HTTP\/\d\.\d$/.test(version) ? versionUnsupported() : malformed('its version cannot be read');
}

/** Parses the header line at `at`; returns where the next one begins. */
function parseField(
  text: string,
  at: number,
  rawHeaders: string[],
  headers: Record<string, string | undefined>,
): number {
  let nameEnd = at;
  while (tokenCharacters[text.charCodeAt(nameEnd)] === 1) nameEnd += 1;
  // No name: an empty one, or the white space of a folded line. No colon next: white space before it, or no header.
  if (nameEnd === at || text.charCodeAt(nameEnd) !== colon) throw malformed('a header has no name');
  let from = nameEnd + 1;
  while (isBlank(text.charCodeAt(from))) from += 1;
  let end = from;
  // Ends at the line's end, at a carriage return or line feed on its own, or at what no value may hold.
  while (valueCharacters[text.charCodeAt(end)] === 1) end += 1;
  if (text.charCodeAt(end) !== cr || text.charCodeAt(end + 1) !== lf)
    throw malformed('a header holds a control character');
  let valueEnd = end;
  while (valueEnd > from && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
  const name = text.slice(at, nameEnd);
  const value = text.slice(from, valueEnd);
  rawHeaders.push(name, value);
  addHeader(headers, lowerCaseName(name), value);
  return end + 2;
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}

/** A second one of these would let two readers of the same bytes see two different requests. */
const single = new Set(['host', 'content-length', 'transfer-encoding']);
/** Of these the first counts, as in node:http; all others make a list. */
const firstOnly = new Set([
  'age',
  'authorization',
  'content-type',
  'etag',
  'expires',
  'from',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
]);

function addHeader(headers: Record<string, string | undefined>, name: string, value: string): void {
  const before = headers[name];
  if (before === undefined) headers[name] = value;
  else if (single.has(name)) throw malformed(`it has the header ${name} twice`);
  else if (!firstOnly.has(name)) headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
}
