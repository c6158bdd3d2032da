import { RegistryServiceClient, type Resource as ResourceMessage } from '@mooring/contracts/registry';
import type { Operation, Resource, ResourceKind, Stored } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { createClient } from '@mooring/rpc';
import type { RegistryPort } from '../ports.ts';
import { serviceError } from './service-error.ts';

/** A write waits for its turn behind others. */
const writeDeadlineMs = 15_000;

/** The registry over gRPC. `close` ends the connection. */
export function createGrpcRegistry(address: string): RegistryPort & { close(): void } {
  const client = createClient(RegistryServiceClient, address);
  const call: typeof client.call = async (method, request, options) => {
    try {
      return await client.call(method, request, options);
    } catch (thrown) {
      throw serviceError(thrown, 'registry');
    }
  };
  return {
    put: async (kind, key, spec, { ifMatch, principal }) => {
      const request = { kind, key, specJson: JSON.stringify(spec), ifMatch, principal };
      const { resource, created } = await call('putResource', request, { deadlineMs: writeDeadlineMs });
      return { resource: storedOf(resource), created };
    },
    get: async (kind, key) => storedOf((await call('getResource', { kind, key })).resource),
    list: async (kind, { parent, size, token }) => {
      const page = await call('listResources', { kind, parent, pageSize: size, pageToken: token });
      return { resources: page.resources.map((resource) => storedOf(resource)), next: page.nextPageToken };
    },
    delete: async (kind, key, { ifMatch, principal }) => {
      const request = { kind, key, ifMatch, principal };
      const { resource } = await call('deleteResource', request, { deadlineMs: writeDeadlineMs });
      return resource === undefined ? undefined : storedOf(resource);
    },
    operation: async (id) => {
      const { operationJson } = await call('getOperation', { operationId: id });
      return JSON.parse(operationJson) as Operation;
    },
    revisions: async (kind, key) => {
      const { revisions } = await call('listRevisions', { kind, key });
      return revisions.map((revision) => storedOf(revision));
    },
    close: () => client.close(),
  };
}

function storedOf<K extends ResourceKind>(message: ResourceMessage | undefined): Stored<K> {
  if (message === undefined) {
    throw new PlatformError('internal', 'NO_RESOURCE', 'the registry answered without the resource');
  }
  return { ...(JSON.parse(message.documentJson) as Resource<K>), etag: message.etag };
}
