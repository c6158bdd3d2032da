import { lookup as resolve, type LookupAddress } from 'node:dns';
import { open, rename, rm } from 'node:fs/promises';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { AllowedHosts } from './allowed-hosts.ts';

export interface FetchOptions {
  allowed: AllowedHosts;
  bytesMax: number;
  signal: AbortSignal;
}

const redirectsMax = 5;
/** Without a byte. */
const silenceMs = 60_000;
/** Statuses that say of themselves that another try may go well. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Why a file could not be fetched, in words that follow a colon. */
export class FetchFailed extends Error {
  /** Another try may go well. */
  readonly mayPass: boolean;

  constructor(message: string, mayPass: boolean) {
    super(message);
    this.mayPass = mayPass;
  }

  static from(thrown: unknown): FetchFailed {
    if (thrown instanceof FetchFailed) return thrown;
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') return new FetchFailed('the disk is full', false);
    return new FetchFailed(code === undefined ? message : `${code} (${message})`, true);
  }
}

/** Writes what a GET of `url` answers to `path`, which appears whole and synced, or not at all. Goes only where `allowed` says. */
export async function fetchFile(url: URL, path: string, options: FetchOptions): Promise<void> {
  const answer = await followed(url, options);
  const temporary = `${path}.tmp`;
  try {
    await write(answer, temporary, options.bytesMax);
    await rename(temporary, path);
  } finally {
    answer.destroy();
    await rm(temporary, { force: true });
  }
}

async function write(answer: IncomingMessage, path: string, bytesMax: number): Promise<void> {
  const tooLarge = (): FetchFailed => new FetchFailed(`it is larger than ${bytesMax} bytes`, false);
  if (Number(answer.headers['content-length'] ?? 0) > bytesMax) throw tooLarge();
  const file = await open(path, 'w', 0o600);
  try {
    let bytes = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw tooLarge();
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The answer at the end of the redirects, with status 200; its body is not read yet. */
async function followed(url: URL, options: FetchOptions): Promise<IncomingMessage> {
  let at = url;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await ask(at, options);
    const { statusCode = 0, headers } = answer;
    if (statusCode === 200) return answer;
    answer.destroy();
    if (statusCode < 300 || statusCode > 399 || headers.location === undefined) {
      throw new FetchFailed(`the server answered ${statusCode}`, passing.has(statusCode));
    }
    if (redirects === redirectsMax) throw new FetchFailed(`it is redirected more than ${redirectsMax} times`, false);
    const next = URL.parse(headers.location, at.href);
    if (next === null || !options.allowed.allows(next) || next.username !== '' || next.password !== '') {
      const where = next === null ? 'nowhere' : next.host.slice(0, 200);
      throw new FetchFailed(`it is redirected to ${where}, which jobs may not fetch from`, false);
    }
    if (at.protocol === 'https:' && next.protocol === 'http:') {
      throw new FetchFailed('it is redirected from https to http', false);
    }
    at = next;
  }
}

function ask(url: URL, { allowed, signal }: FetchOptions): Promise<IncomingMessage> {
  const { promise, resolve: done, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url.href, {
    agent: false,
    signal,
    timeout: silenceMs,
    lookup: allowedLookup(allowed, url),
    // Bytes as they are: what they are compressed with is the file's own.
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'mooring-batch' },
  });
  request.on('timeout', () => request.destroy(new FetchFailed(`nothing came for ${silenceMs / 1_000} s`, true)));
  request.on('response', done);
  request.on('error', reject);
  request.end();
  return promise;
}

/** A name may lead to this machine without anybody having meant it; asked when it connects, so that it cannot change in between. */
function allowedLookup(allowed: AllowedHosts, url: URL): LookupFunction {
  return (hostname, options, reply) => {
    resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      const addresses = error ? [] : found.filter(({ address }) => allowed.allowsAddress(url, address));
      const [first] = addresses;
      if (first === undefined) {
        const refused = new FetchFailed(`${hostname} is an address of this machine or its link`, false);
        return reply(error ?? refused, '', 0);
      }
      if (options.all === true) reply(null, addresses);
      else reply(null, first.address, first.family);
    });
  };
}
