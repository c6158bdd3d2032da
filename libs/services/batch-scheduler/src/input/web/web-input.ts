import { createHash } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { hiddenQuery, withoutQuery } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { readAllowedHosts } from './allowed-hosts.ts';
import { fetchFile, FetchFailed } from './fetch-file.ts';

/** Inputs that are files of the web. */
export interface WebInput {
  /** Throws `invalid_argument` where jobs may not have it, with what to do. */
  check(url: URL): void;
  /**
   * The file's path below `folder`, fetched unless it is there already. Rejects with `failed_precondition` / INPUT_NOT_FETCHED where it
   * cannot be had, and says why.
   */
  fetch(url: URL, folder: string, signal: AbortSignal): Promise<string>;
}

export interface WebInputOptions {
  /** See readAllowedHosts. */
  hosts: string;
  bytesMax: number;
  /** Of one file, all tries together. */
  timeoutS: number;
  /** Before the second try; twice as long before each further one. */
  retryMs?: number;
}

const triesMax = 4;
const firstRetryMs = 1_000;

export function createWebInput({ hosts, bytesMax, timeoutS, retryMs = firstRetryMs }: WebInputOptions): WebInput {
  const allowed = readAllowedHosts(hosts);
  const check = (url: URL): void => {
    const problem = problemOf(url, allowed.allows(url));
    if (problem !== undefined) throw PlatformError.invalid('the job', [{ path: 'uri', ...problem }]);
  };
  const fetch = async (url: URL, folder: string, signal: AbortSignal): Promise<string> => {
    // Several inputs of one job may have one name.
    const own = join(folder, createHash('sha256').update(url.href).digest('hex').slice(0, 16));
    await mkdir(own, { recursive: true, mode: 0o700 });
    const name = fileNameOf(url);
    const path = join(own, name);
    if ((await readdir(own)).includes(name)) return path;
    if (url.search === hiddenQuery) {
      throw notFetched(url, 'the query of its address was not kept when the job ended; submit it again', undefined);
    }
    const timeout = AbortSignal.timeout(timeoutS * 1_000);
    const either = AbortSignal.any([signal, timeout]);
    for (let tries = 1; ; tries += 1) {
      try {
        await fetchFile(url, path, { allowed, bytesMax, signal: either });
        return path;
      } catch (thrown) {
        signal.throwIfAborted();
        if (timeout.aborted) throw notFetched(url, `it did not come within ${timeoutS} s`, thrown);
        const failed = FetchFailed.from(thrown);
        if (!failed.mayPass || tries === triesMax) throw notFetched(url, failed.message, thrown);
        // Cut short, the next try ends at once and says so.
        await setTimeout(retryMs * 2 ** (tries - 1), undefined, { signal: either }).catch(() => undefined);
      }
    }
  };
  return { check, fetch };
}

function problemOf(url: URL, allowed: boolean): { problem: string; expected: string } | undefined {
  if (url.username !== '' || url.password !== '') {
    return {
      problem: 'holds a user or a password, which would be kept with the job',
      expected: 'an address without them',
    };
  }
  if (allowed) return undefined;
  return {
    problem: `is on ${url.host.slice(0, 200)}, which jobs may not fetch from`,
    expected: 'a host that the operator lists in MOORING_BATCH_INPUT_HOSTS; or upload the file',
  };
}

function notFetched(url: URL, why: string, cause: unknown): PlatformError {
  const message = `input '${withoutQuery(url.href).slice(0, 300)}' could not be fetched: ${why}`;
  return new PlatformError('failed_precondition', 'INPUT_NOT_FETCHED', message, { cause });
}

/** Last name of the path, which tells the file's format; of what is no plain name, what is. */
export function fileNameOf(url: URL): string {
  const last = url.pathname.split('/').at(-1) ?? '';
  const plain = last.replaceAll(/%[0-9a-f]{2}|[^\w.-]/gi, '_').replace(/^\.+/, '');
  return plain === '' ? 'input' : plain.slice(-100);
}
