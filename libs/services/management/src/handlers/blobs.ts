import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { PlatformError } from '@mooring/errors';
import type { ArtifactHead, ArtifactStore } from '@mooring/storage';
import { listingXml, readBlockList } from '../domain/blob-xml.ts';
import { readRange } from '../domain/byte-range.ts';

/** One request below `/blob/<container>`, its right to be there already checked. */
export interface BlobCall {
  method: string;
  container: string;
  /** Below the container, decoded; empty for the container itself. */
  path: string;
  query: Readonly<Record<string, unknown>>;
  headers: IncomingHttpHeaders;
  /** The body, not yet read. */
  content: Readable;
}

export interface BlobAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  body?: string | Readable;
}

export interface BlobLimits {
  blobBytesMax: number;
  blockBytesMax: number;
}

const blockListBytesMax = 8 * 2 ** 20;
const listMax = 5_000;
const metadataPrefix = 'x-ms-meta-';

/** The part of Azure's blob protocol that uploads and downloads of clients use (azureml-contract 10.5). */
export function createBlobHandler(store: ArtifactStore, limits: BlobLimits): (call: BlobCall) => Promise<BlobAnswer> {
  return async (call) => {
    const comp = textOf(call.query, 'comp');
    const what = `${call.method} ${call.path === '' ? 'container' : 'blob'} ${comp}`.trim();
    switch (what) {
      case 'HEAD blob':
        return headBlob(store, call);
      case 'GET blob':
        return getBlob(store, call);
      case 'PUT blob':
        return putBlob(store, call, limits);
      case 'PUT blob block':
        return putBlock(store, call, limits);
      case 'PUT blob blocklist':
        return putBlockList(store, call, limits);
      case 'PUT blob metadata':
        await store.setMetadata(call.container, call.path, metadataOf(call.headers));
        return { status: 200, headers: headHeaders(await headOf(store, call)) };
      case 'GET container list':
        return listBlobs(store, call);
      default:
        throw new PlatformError('unimplemented', 'BLOB_OPERATION', 'this part of the blob protocol is not there');
    }
  };
}

async function headOf(store: ArtifactStore, { container, path }: BlobCall): Promise<ArtifactHead> {
  const head = await store.head(container, path);
  if (head === undefined) throw new PlatformError('not_found', 'ARTIFACT_NOT_FOUND', 'there is no such blob');
  return head;
}

async function headBlob(store: ArtifactStore, call: BlobCall): Promise<BlobAnswer> {
  const head = await headOf(store, call);
  return { status: 200, headers: { ...contentHeaders(head), 'content-length': String(head.bytes) } };
}

async function getBlob(store: ArtifactStore, call: BlobCall): Promise<BlobAnswer> {
  const { bytes } = await headOf(store, call);
  const range = readRange(textHeader(call.headers, 'x-ms-range') ?? call.headers.range, bytes);
  const { head, content } = await store.get(call.container, call.path, range);
  const length = range === undefined ? head.bytes : range.end - range.start + 1;
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...contentHeaders(head),
      'content-length': String(length),
      ...(range === undefined ? {} : { 'content-range': `bytes ${range.start}-${range.end}/${head.bytes}` }),
    },
    body: content as unknown as Readable,
  };
}

async function putBlob(store: ArtifactStore, call: BlobCall, { blobBytesMax }: BlobLimits): Promise<BlobAnswer> {
  const { container, path, headers, content } = call;
  const type = textHeader(headers, 'x-ms-blob-type');
  if (type?.toLowerCase() !== 'blockblob') {
    throw PlatformError.invalid('the upload', [
      { path: 'x-ms-blob-type', problem: 'is not allowed', expected: 'BlockBlob' },
    ]);
  }
  checkLength(headers, blobBytesMax);
  if (headers['if-none-match'] === '*' && (await store.head(container, path)) !== undefined) {
    throw new PlatformError('already_exists', 'BLOB_ALREADY_EXISTS', 'there is such a blob already');
  }
  const head = await store.put(container, path, content, putOptions(headers, blobBytesMax));
  return { status: 201, headers: headHeaders(head) };
}

async function putBlock(store: ArtifactStore, call: BlobCall, { blockBytesMax }: BlobLimits): Promise<BlobAnswer> {
  const { container, path, query, headers, content } = call;
  const id = textOf(query, 'blockid');
  if (!/^[A-Za-z0-9+/=]{1,100}$/.test(id)) {
    throw PlatformError.invalid('the block', [{ path: 'blockid', problem: 'is not allowed', expected: 'Base64 text' }]);
  }
  checkLength(headers, blockBytesMax);
  const { md5Base64 } = putOptions(headers, blockBytesMax);
  const options = { maxBytes: blockBytesMax, ...(md5Base64 === undefined ? {} : { md5Base64 }) };
  await store.putBlock(container, path, id, content, options);
  return { status: 201, headers: {} };
}

async function putBlockList(store: ArtifactStore, call: BlobCall, { blobBytesMax }: BlobLimits): Promise<BlobAnswer> {
  const { container, path, headers, content } = call;
  const xml = await readAll(content, blockListBytesMax);
  const md5 = textHeader(headers, 'content-md5');
  if (md5 !== undefined && createHash('md5').update(xml).digest('base64') !== md5) {
    throw new PlatformError('invalid_argument', 'MD5_MISMATCH', 'the block list was changed on the way');
  }
  const ids = readBlockList(xml.toString('utf8'));
  // The MD5 that came is the list's, not the content's.
  const options = { maxBytes: blobBytesMax, metadata: metadataOf(headers) };
  return { status: 201, headers: headHeaders(await store.commitBlocks(container, path, ids, options)) };
}

async function listBlobs(store: ArtifactStore, { container, query }: BlobCall): Promise<BlobAnswer> {
  const prefix = textOf(query, 'prefix');
  const after = textOf(query, 'marker');
  const asked = Number(textOf(query, 'maxresults') || listMax);
  const max = Number.isInteger(asked) && asked >= 1 && asked <= listMax ? asked : listMax;
  const { entries, next } = await store.list(container, { prefix, max, ...(after === '' ? {} : { after }) });
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: listingXml({ container, prefix, max, entries, next }),
  };
}

function putOptions(headers: IncomingHttpHeaders, maxBytes: number) {
  const md5Base64 = textHeader(headers, 'content-md5') ?? textHeader(headers, 'x-ms-blob-content-md5');
  return { maxBytes, metadata: metadataOf(headers), ...(md5Base64 === undefined ? {} : { md5Base64 }) };
}

function checkLength(headers: IncomingHttpHeaders, most: number): void {
  if (Number(headers['content-length'] ?? 0) <= most) return;
  throw new PlatformError('too_large', 'ARTIFACT_TOO_LARGE', `one part of an upload has at most ${most} bytes`);
}

function metadataOf(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => name.startsWith(metadataPrefix) && typeof value === 'string')
      .map(([name, value]) => [name.slice(metadataPrefix.length), value as string]),
  );
}

function headHeaders({ etag, modifiedAt }: ArtifactHead): Record<string, string> {
  return { etag, 'last-modified': modifiedAt.toUTCString() };
}

function contentHeaders(head: ArtifactHead): Record<string, string> {
  const metadata = Object.entries(head.metadata).map(([name, value]) => [metadataPrefix + name, value]);
  return {
    ...headHeaders(head),
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'x-ms-blob-type': 'BlockBlob',
    ...(Object.fromEntries(metadata) as Record<string, string>),
  };
}

async function readAll(content: Readable, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of content) {
    bytes += (part as Buffer).byteLength;
    if (bytes > most) throw new PlatformError('too_large', 'BODY_TOO_LARGE', `a block list has at most ${most} bytes`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

function textOf(query: Readonly<Record<string, unknown>>, name: string): string {
  const value = query[name];
  return typeof value === 'string' ? value : '';
}

function textHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
