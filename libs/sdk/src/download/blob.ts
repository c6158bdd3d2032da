import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PlatformError } from '@mooring/errors';
import type { ManagementClient } from '../client.ts';
import { networkError, withRetries } from '../http.ts';

export interface BlobDownload {
  container: string;
  path: string;
  /** What it must be; where absent, what the server says of its size. */
  bytes?: number | undefined;
  sha256?: string | undefined;
}

export interface DownloadOptions {
  client: Pick<ManagementClient, 'openBlob'>;
  signal?: AbortSignal | undefined;
  /** Called with the bytes of each piece. */
  onBytes?: ((bytes: number) => void) | undefined;
}

/** Longer without a byte, and the connection counts as gone. */
const idleMs = 60_000;

/**
 * Brings one blob to `file`, which appears whole or not at all; after a broken connection it goes on where it was. False where the very
 * same file is there already. Rejects with DOWNLOAD_DIFFERS where what came is not what it must be.
 */
export async function downloadBlob(blob: BlobDownload, file: string, options: DownloadOptions): Promise<boolean> {
  if (await isSame(file, blob, options.signal)) return false;
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.${randomUUID().slice(0, 8)}.partial`;
  const target = await open(partial, 'wx');
  try {
    const got = { bytes: 0, etag: '', hash: createHash('sha256') };
    await withRetries(() => receive(blob, target, got, options), options.signal);
    const sha256 = got.hash.digest('hex');
    const wrongSize = blob.bytes !== undefined && got.bytes !== blob.bytes;
    if (wrongSize || (blob.sha256 !== undefined && sha256 !== blob.sha256)) {
      const said = `${blob.bytes ?? got.bytes} bytes${blob.sha256 === undefined ? '' : `, SHA-256 ${blob.sha256}`}`;
      throw differs(blob, `it has ${got.bytes} bytes, SHA-256 ${sha256}, and should have ${said}`);
    }
    await target.sync();
    await target.close();
    await rename(partial, file);
    return true;
  } catch (thrown) {
    await target.close().catch(() => undefined);
    await rm(partial, { force: true });
    throw thrown;
  }
}

interface Received {
  bytes: number;
  etag: string;
  hash: ReturnType<typeof createHash>;
}

/** From where the last attempt ended to the end. */
async function receive(blob: BlobDownload, target: FileHandle, got: Received, options: DownloadOptions): Promise<void> {
  const idle = new AbortController();
  const signal = options.signal === undefined ? idle.signal : AbortSignal.any([idle.signal, options.signal]);
  const expire = (): void => idle.abort(new DOMException('no byte came', 'TimeoutError'));
  const timer = setTimeout(expire, idleMs);
  try {
    const response = await options.client.openBlob(blob.container, blob.path, { from: got.bytes, signal });
    const etag = response.headers.get('etag') ?? '';
    if (got.bytes > 0 && (etag !== got.etag || response.status !== 206)) throw differs(blob, 'it changed meanwhile');
    got.etag = etag;
    const all = got.bytes + Number(response.headers.get('content-length') ?? Number.NaN);
    for await (const part of response.body ?? []) {
      timer.refresh();
      await target.write(part, 0, part.byteLength, got.bytes);
      got.hash.update(part);
      got.bytes += part.byteLength;
      options.onBytes?.(part.byteLength);
    }
    if (got.bytes !== all) throw new TypeError(`${got.bytes} of ${all} bytes came`);
  } catch (thrown) {
    const { syscall, code = '' } = thrown as NodeJS.ErrnoException;
    if (syscall !== undefined) {
      const message = `${blob.path} cannot be written to this machine: ${code === 'ENOSPC' ? 'the disk is full' : code}`;
      throw new PlatformError('failed_precondition', 'FILE_ERROR', message, { cause: thrown });
    }
    const call = { address: 'the artifact store', deadlineMs: idleMs, signal: options.signal };
    throw networkError(thrown, call);
  } finally {
    clearTimeout(timer);
  }
}

async function isSame(file: string, { bytes, sha256 }: BlobDownload, signal?: AbortSignal): Promise<boolean> {
  if (sha256 === undefined) return false;
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || !found.isFile() || found.size !== bytes) return false;
  const hash = createHash('sha256');
  for await (const part of createReadStream(file, signal === undefined ? {} : { signal })) hash.update(part as Buffer);
  return hash.digest('hex') === sha256;
}

function differs({ path }: BlobDownload, why: string): PlatformError {
  return new PlatformError('failed_precondition', 'DOWNLOAD_DIFFERS', `${path} is not what was written: ${why}`);
}
