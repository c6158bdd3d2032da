import type { ResourceKind, Stored } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Page } from '../domain/listing.ts';
import { ok, type Answer, type Call } from '../http/call.ts';
import type { RegistryPort } from '../ports.ts';

const pageSize = 1_000;
const pagesMax = 50;

/** Every resource of a kind, or those below `parent`. */
export async function listAll<K extends ResourceKind>(
  registry: RegistryPort,
  kind: K,
  parent: string,
): Promise<Stored<K>[]> {
  const all: Stored<K>[] = [];
  let token = '';
  for (let page = 0; page < pagesMax; page += 1) {
    const { resources, next } = await registry.list(kind, { parent, size: pageSize, token });
    all.push(...resources);
    if (next === '') return all;
    token = next;
  }
  throw new PlatformError('too_large', 'LISTING_TOO_LARGE', `there are more than ${pageSize * pagesMax} of them`);
}

/** `{value, nextLink}`; the link is the same address, further on. */
export function pageAnswer<T>({ page, nextSkip }: Page<T>, call: Call, bodyOf: (item: T) => unknown): Answer {
  const value = page.map((item) => bodyOf(item));
  if (nextSkip === undefined) return ok({ value });
  const url = new URL(call.baseUrl + call.path);
  for (const [name, text] of Object.entries(call.query)) {
    if (typeof text === 'string' && name.toLowerCase() !== '$skip') url.searchParams.set(name, text);
  }
  url.searchParams.set('$skip', String(nextSkip));
  return ok({ value, nextLink: url.href });
}
