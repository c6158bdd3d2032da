import type { GetResourceRequest, GetResourceResponse } from '@mooring/contracts/registry';
import { notFound } from '@mooring/domain';
import { lookUpAddress } from '../domain/keys.ts';
import type { RegistryDeps } from '../ports.ts';

export function createGetResource({ resources }: Pick<RegistryDeps, 'resources'>) {
  return async ({ kind, key }: GetResourceRequest): Promise<GetResourceResponse> => {
    const address = lookUpAddress(kind, key);
    const read = await resources.get(address.kind, address.storeKey);
    if (read === undefined) throw notFound(address.kind, address.key);
    return { resource: await resources.message(read) };
  };
}
