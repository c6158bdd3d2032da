import type { ResourceKind, Stored } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { ListQuery } from '../domain/listing.ts';
import type { Call } from '../http/call.ts';
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
export function pageBody(
  value: readonly unknown[],
  nextSkip: number | undefined,
  call: Call,
): { value: readonly unknown[]; nextLink?: string } {
  if (nextSkip === undefined) return { value };
  const url = new URL(call.baseUrl + call.path);
  for (const [name, text] of Object.entries(call.query)) {
    if (typeof text === 'string' && name.toLowerCase() !== '$skip') url.searchParams.set(name, text);
  }
  url.searchParams.set('$skip', String(nextSkip));
  return { value, nextLink: url.href };
}

/** One page of things that have no resource of their own. */
export function cut<T>(items: readonly T[], { skip, top }: ListQuery): { page: T[]; nextSkip: number | undefined } {
  const end = skip + top;
  return { page: items.slice(skip, end), nextSkip: end < items.length ? end : undefined };
}
