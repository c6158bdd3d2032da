import { openAsBlob } from 'node:fs';
import { PlatformError } from '@mooring/errors';
import type { PendingUpload } from '../client.ts';
import { errorOfResponse } from '../arm-error.ts';
import { deadlineSignal, networkError, readText, withRetries, type Fetch } from '../http.ts';
import type { UploadFile, UploadSet } from './scan.ts';

export interface UploadProgress {
  files: number;
  filesDone: number;
  bytes: number;
  bytesDone: number;
}

export interface SendOptions {
  fetch?: Fetch | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/** Beyond this a blob goes up in blocks, as Azure's clients send it (azureml-contract 10.5). */
const singlePutBytesMax = 64 * 1024 * 1024;
const blockBytes = 16 * 1024 * 1024;
const parallelMax = 4;
const headDeadlineMs = 15_000;
const putDeadlineMs = 300_000;

/**
 * Sends the files to `LocalUpload/<sha256>/<name>/...`; the path names the content, so that a file that is there with
 * its size is not sent again. Resolves to the address that the asset refers to.
 */
export async function sendUpload(set: UploadSet, target: PendingUpload, options: SendOptions): Promise<string> {
  const folder = `LocalUpload/${set.sha256}/${encodeURIComponent(set.name)}`;
  const progress = { files: set.files.length, filesDone: 0, bytes: set.bytes, bytesDone: 0 };
  const queue = [...set.files];
  const failed = new AbortController();
  const signal = options.signal === undefined ? failed.signal : AbortSignal.any([options.signal, failed.signal]);
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const path = set.folder ? `${folder}/${file.name.split('/').map(encodeURIComponent).join('/')}` : folder;
      await sendFile(file, blobUrl(target.sasUri, path), { fetch: options.fetch, signal });
      progress.filesDone += 1;
      progress.bytesDone += file.bytes;
      options.onProgress?.({ ...progress });
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(parallelMax, set.files.length) }, work));
  } catch (thrown) {
    failed.abort();
    throw thrown;
  }
  return `${target.blobUri.replace(/\/+$/, '')}/${folder}`;
}

interface Sending {
  fetch: Fetch | undefined;
  signal: AbortSignal;
}

async function sendFile(file: UploadFile, url: URL, sending: Sending): Promise<void> {
  if (await isThere(file, url, sending)) return;
  const content = await openAsBlob(file.path);
  const headers = { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2024-11-04' };
  if (content.size <= singlePutBytesMax) {
    await request('PUT', url, sending, { headers, body: content });
    return;
  }
  const ids: string[] = [];
  for (let start = 0; start < content.size; start += blockBytes) {
    const id = Buffer.from(String(ids.length).padStart(8, '0')).toString('base64');
    ids.push(id);
    await request('PUT', withQuery(url, { comp: 'block', blockid: id }), sending, {
      headers,
      body: content.slice(start, start + blockBytes),
    });
  }
  const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join('')}</BlockList>`;
  await request('PUT', withQuery(url, { comp: 'blocklist' }), sending, { headers, body: list });
}

async function isThere(file: UploadFile, url: URL, sending: Sending): Promise<boolean> {
  try {
    const { headers } = await request('HEAD', url, sending, {});
    return Number(headers.get('content-length')) === file.bytes;
  } catch (thrown) {
    if (thrown instanceof PlatformError && thrown.code === 'not_found') return false;
    throw thrown;
  }
}

async function request(
  method: 'HEAD' | 'PUT',
  url: URL,
  sending: Sending,
  init: { headers?: Record<string, string>; body?: Blob | string },
): Promise<Response> {
  const deadlineMs = method === 'HEAD' ? headDeadlineMs : putDeadlineMs;
  return withRetries(async () => {
    try {
      const send = sending.fetch ?? globalThis.fetch;
      const response = await send(url, {
        method,
        ...init,
        redirect: 'error',
        signal: deadlineSignal(deadlineMs, sending.signal),
      });
      const text = await readText(response, 1024 * 1024);
      if (!response.ok) throw errorOfResponse(response.status, text, response.headers);
      return response;
    } catch (thrown) {
      throw networkError(thrown, { address: url.origin, deadlineMs, signal: sending.signal });
    }
  }, sending.signal);
}

/** A blob of the container whose address, with its signature in the query, is `sasUri`. */
function blobUrl(sasUri: string, path: string): URL {
  if (!URL.canParse(sasUri))
    throw new PlatformError('internal', 'BAD_UPLOAD_ADDRESS', 'the server gave no address to upload to');
  const url = new URL(sasUri);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`;
  return url;
}

function withQuery(url: URL, query: Record<string, string>): URL {
  const changed = new URL(url);
  for (const [key, value] of Object.entries(query)) changed.searchParams.set(key, value);
  return changed;
}
