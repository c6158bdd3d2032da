import { RegistryServiceClient } from '@mooring/contracts/registry';
import { storedOf } from '@mooring/contracts/stored-resource';
import type { AssetKind, ResourceKind, Stored } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { createServiceClient } from '@mooring/rpc';
import type { Catalog } from '../ports.ts';

/** Versions of one asset that are looked through for the newest. */
const versionsMax = 1_000;

/** The registry over gRPC. What is being deleted is not there any more. */
export function createGrpcCatalog(address: string): Catalog & { close(): void } {
  const { call, close } = createServiceClient(RegistryServiceClient, address, 'registry');
  const find = async <K extends ResourceKind>(kind: K, key: string): Promise<Stored<K> | undefined> => {
    try {
      const found = storedOf<K>((await call('getResource', { kind, key })).resource);
      return found.state === 'Deleting' ? undefined : found;
    } catch (thrown) {
      if (PlatformError.from(thrown).code === 'not_found') return undefined;
      throw thrown;
    }
  };
  return {
    endpoint: async (name) => {
      const found = await find('batch-endpoint', name);
      return found && { name: found.key, spec: found.spec };
    },
    deployment: async (endpoint, name) => {
      const found = await find('batch-deployment', `${endpoint}/${name}`);
      return found && { name: found.key.slice(found.key.indexOf('/') + 1), spec: found.spec };
    },
    asset: async (kind, key) => (await find(kind, key))?.spec,
    latest: async (kind, parent) => {
      const { resources } = await call('listResources', { kind, parent, pageSize: versionsMax, pageToken: '' });
      const newest = resources
        .map((resource) => storedOf<AssetKind>(resource))
        .filter(({ spec }) => !spec.isArchived)
        .toSorted((a, b) => (a.system.createdAt < b.system.createdAt ? -1 : 1))
        .at(-1);
      return newest?.key.slice(newest.key.indexOf('/') + 1);
    },
    close,
  };
}
