import type { Operation } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { StoredDocument } from './document.ts';
import { isKind, lookUpAddress, type Address } from './keys.ts';

/** `<kind>.<base64url of key>.<uuid>`: tells where to look the operation up. */
export function operationId({ kind, key }: Pick<Address, 'kind' | 'key'>, uuid: string): string {
  return `${kind}.${Buffer.from(key, 'utf8').toString('base64url')}.${uuid}`;
}

const idForm = /^([a-z-]{1,40})\.([-\w]{1,2000})\.[-0-9a-f]{36}$/;

/** Where the operation's resource is, or was. */
export function addressOfOperation(id: string): Address {
  const [, kind = '', encoded = ''] = idForm.exec(id) ?? [];
  if (!isKind(kind)) throw operationNotFound(id);
  try {
    return lookUpAddress(kind, Buffer.from(encoded, 'base64url').toString('utf8'));
  } catch {
    throw operationNotFound(id);
  }
}

export function operationNotFound(id: string): PlatformError {
  const shown = id.length > 200 ? `${id.slice(0, 200)}...` : id;
  return new PlatformError(
    'not_found',
    'OPERATION_NOT_FOUND',
    `there is no operation '${shown}', or it is too long ago`,
  );
}

/** One earlier state of the document, oldest first; `value` undefined where it was deleted. */
export interface Revision {
  value: StoredDocument | undefined;
  revision: number;
  createdAt: Date;
}

/**
 * What became of an operation, told by the history of its document: its own end where that was written; a delete whose
 * document is gone succeeded; anything else that another write followed was superseded.
 */
export function operationInHistory(id: string, history: readonly Revision[]): Operation | undefined {
  const index = history.findLastIndex(({ value }) => value?.operation.id === id);
  const operation = history[index]?.value?.operation;
  const next = history[index + 1];
  if (operation === undefined || operation.status !== 'InProgress' || next === undefined) return operation;
  const gone = next.value === undefined && operation.verb === 'delete';
  return { ...operation, status: gone ? 'Succeeded' : 'Canceled', endedAt: next.createdAt.toISOString() };
}

/** The last state of each generation, newest first: what a person calls the revisions. Deletions are left out. */
export function revisionsOf(history: readonly Revision[]): (Revision & { value: StoredDocument })[] {
  const byGeneration = new Map<number, Revision & { value: StoredDocument }>();
  for (const { value, ...rest } of history) {
    if (value !== undefined && value.state !== 'Deleting') byGeneration.set(value.generation, { value, ...rest });
  }
  return [...byGeneration.values()].toSorted((a, b) => b.revision - a.revision);
}

/** The generation for a document made anew: past every one of the key's past. */
export function nextGeneration(history: readonly Revision[]): number {
  return 1 + Math.max(0, ...history.map(({ value }) => value?.generation ?? 0));
}

/** The document of a revision as it looks afterwards: an operation that another write followed did not go on. */
export function asPast(document: StoredDocument, history: readonly Revision[]): StoredDocument {
  const operation = operationInHistory(document.operation.id, history) ?? document.operation;
  return operation.status === 'Canceled' ? { ...document, operation, state: 'Canceled' } : { ...document, operation };
}
