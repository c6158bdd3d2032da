import type { ListResourcesRequest, ListResourcesResponse, Resource } from '@mooring/contracts/registry';
import { PlatformError } from '@mooring/errors';
import { readKind } from '../domain/keys.ts';
import type { RegistryDeps } from '../ports.ts';
import type { Read } from '../resources.ts';
import { listBelow } from '../spec-checks.ts';

const defaultPageSize = 100;
const pageSizeMax = 1_000;
/** A page stays far below what a gRPC message takes, whatever lies in it. */
const pageBytesMax = 32 * 2 ** 20;
/** Resources whose secrets are opened at the same time. */
const chunk = 64;

export function createListResources({ resources }: Pick<RegistryDeps, 'resources'>) {
  return async (request: ListResourcesRequest): Promise<ListResourcesResponse> => {
    const kind = readKind(request.kind);
    if (request.pageSize > pageSizeMax) {
      throw PlatformError.invalid('a list of resources', [
        { path: 'page_size', problem: `${request.pageSize} is too many`, expected: `at most ${pageSizeMax}` },
      ]);
    }
    const after = request.pageToken === '' ? '' : readToken(request.pageToken);
    const found = await listBelow(resources, kind, request.parent);
    const left = found.filter((read) => sortKey(read) > after).toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    const page: Resource[] = [];
    let bytes = 0;
    const size = request.pageSize === 0 ? defaultPageSize : request.pageSize;
    while (page.length < Math.min(size, left.length) && bytes < pageBytesMax) {
      const next = left.slice(page.length, Math.min(page.length + chunk, size));
      const messages = await Promise.all(next.map((read) => resources.message(read)));
      for (const message of messages) bytes += message.documentJson.length;
      page.push(...messages);
    }
    const last = left[page.length - 1];
    const more = last !== undefined && page.length < left.length;
    return { resources: page, nextPageToken: more ? tokenOf(sortKey(last)) : '' };
  };
}

function sortKey({ document }: Read): string {
  return document.key.toLowerCase();
}

function tokenOf(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url');
}

function readToken(token: string): string {
  const key = Buffer.from(token, 'base64url').toString('utf8');
  if (key !== '' && tokenOf(key) === token) return key;
  throw PlatformError.invalid('a list of resources', [
    { path: 'page_token', problem: 'is not a page token', expected: 'the next_page_token of the page before' },
  ]);
}
