import type { ListRevisionsRequest, ListRevisionsResponse } from '@mooring/contracts/registry';
import { notFound } from '@mooring/domain';
import { lookUpAddress } from '../domain/keys.ts';
import { asPast, revisionsOf } from '../domain/operation.ts';
import type { RegistryDeps } from '../ports.ts';

export function createListRevisions({ resources }: Pick<RegistryDeps, 'resources'>) {
  return async ({ kind, key }: ListRevisionsRequest): Promise<ListRevisionsResponse> => {
    const address = lookUpAddress(kind, key);
    const [read, history] = await Promise.all([
      resources.get(address.kind, address.storeKey),
      resources.history(address.storeKey),
    ]);
    if (read === undefined) throw notFound(address.kind, address.key);
    const revisions = revisionsOf(history).map(({ value, revision }) =>
      resources.message({ document: asPast(value, history), revision }),
    );
    return { revisions: await Promise.all(revisions) };
  };
}
