import { PlatformError } from '@mooring/errors';
import type { ArtifactEntry } from '@mooring/storage';

const blocksMax = 50_000;
const blockIdCharactersMax = 100;

/** Ids of a `<BlockList>`, in order. Only its own small form is read: no entities, no other elements. */
export function readBlockList(xml: string): string[] {
  const inner = /^\s*(?:<\?xml[^<>]*\?>)?\s*<BlockList\s*>(.*)<\/BlockList>\s*$/s.exec(xml.replace(/^\uFEFF/, ''))?.[1];
  if (inner === undefined) {
    if (/^\s*(?:<\?xml[^<>]*\?>)?\s*<BlockList\s*\/>\s*$/.test(xml)) return [];
    throw badList('is not a block list');
  }
  const ids: string[] = [];
  const item = /\s*<(Latest|Uncommitted|Committed)>\s*([A-Za-z0-9+/=]+)\s*<\/\1>\s*/y;
  while (item.lastIndex < inner.length) {
    const start = item.lastIndex;
    const id = item.exec(inner)?.[2];
    if (id === undefined) {
      if (inner.slice(start).trim() === '') break;
      throw badList(`breaks at character ${start} of the list`);
    }
    if (id.length > blockIdCharactersMax) throw badList('holds an id that is too long');
    ids.push(id);
    if (ids.length > blocksMax) throw badList(`names more than ${blocksMax} blocks`);
  }
  return ids;
}

function badList(problem: string): PlatformError {
  return PlatformError.invalid(
    'the block list',
    [{ path: '(body)', problem, expected: '<BlockList><Latest>id</Latest>...</BlockList>' }],
    'INVALID_BLOCK_LIST',
  );
}

export interface BlobListing {
  container: string;
  prefix: string;
  max: number;
  entries: readonly ArtifactEntry[];
  next: string | undefined;
}

/** The answer to a listing of a container. */
export function listingXml({ container, prefix, max, entries, next }: BlobListing): string {
  const blobs = entries.map(({ path, bytes, etag, modifiedAt, metadata }) => {
    const properties = [
      element('Last-Modified', modifiedAt.toUTCString()),
      element('Etag', etag),
      element('Content-Length', String(bytes)),
      element('Content-Type', 'application/octet-stream'),
      element('BlobType', 'BlockBlob'),
    ].join('');
    const words = Object.entries(metadata)
      .map(([name, value]) => element(name, value))
      .join('');
    return `<Blob>${element('Name', path)}<Properties>${properties}</Properties><Metadata>${words}</Metadata></Blob>`;
  });
  return (
    `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="${escaped(container)}">` +
    `${element('Prefix', prefix)}${element('MaxResults', String(max))}<Blobs>${blobs.join('')}</Blobs>` +
    `${element('NextMarker', next ?? '')}</EnumerationResults>`
  );
}

export function errorXml(code: string, message: string): string {
  return `<?xml version="1.0" encoding="utf-8"?><Error>${element('Code', code)}${element('Message', message)}</Error>`;
}

function element(name: string, text: string): string {
  return `<${name}>${escaped(text)}</${name}>`;
}

function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
