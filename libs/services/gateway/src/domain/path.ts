import { PlatformError } from '@mooring/errors';

export interface RequestTarget {
  /** Decoded once; a trailing slash adds nothing. */
  segments: readonly string[];
  /** Without the question mark, as sent. */
  query: string;
}

const segmentsMax = 16;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const forbidden = /[\u0000-\u001f\u007f/\\]/;

/** Takes a request's target apart. Throws `invalid_argument` for a path that cannot be decoded safely. */
export function parseTarget(url: string): RequestTarget {
  // The absolute form of proxies: http://host/path. Which host it names is the Host header's business.
  const local = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, '');
  const mark = local.indexOf('?');
  const path = mark < 0 ? local : local.slice(0, mark);
  if (path !== '' && !path.startsWith('/')) throw badPath('it must begin with a slash');
  const raw = path.split('/').slice(1);
  if (raw.at(-1) === '') raw.pop();
  if (raw.length > segmentsMax) throw badPath(`it has more than ${segmentsMax} parts`);
  return { segments: raw.map(decodeSegment), query: mark < 0 ? '' : local.slice(mark + 1) };
}

function decodeSegment(segment: string): string {
  if (segment === '') throw badPath('it has an empty part');
  let decoded = segment;
  if (segment.includes('%')) {
    try {
      decoded = decodeURIComponent(segment);
    } catch {
      throw badPath('its percent encoding is broken');
    }
  }
  if (decoded === '.' || decoded === '..' || forbidden.test(decoded)) throw badPath('a part of it is not a name');
  return decoded;
}

function badPath(why: string): PlatformError {
  return new PlatformError('invalid_argument', 'PATH_INVALID', `the path of the request cannot be read: ${why}`);
}

/** The endpoint that a host name of the form `{name}.{domain}` means. */
export function endpointOfHost(host: string | undefined, domain: string | undefined): string | undefined {
  if (host === undefined || domain === undefined) return undefined;
  const name = host.replace(/:\d+$/, '').toLowerCase();
  const suffix = `.${domain.toLowerCase()}`;
  if (!name.endsWith(suffix)) return undefined;
  const label = name.slice(0, -suffix.length);
  return label === '' || label.includes('.') ? undefined : label;
}
