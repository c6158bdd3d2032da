import { RegistryServiceClient } from '@mooring/contracts/registry';
import { storedOf } from '@mooring/contracts/stored-resource';
import type { Operation } from '@mooring/domain';
import { createServiceClient } from '@mooring/rpc';
import type { RegistryPort } from '../ports.ts';
import { advice } from './advice.ts';

/** A write waits for its turn behind others. */
const writeDeadlineMs = 15_000;

/** The registry over gRPC. `close` ends the connection. */
export function createGrpcRegistry(address: string): RegistryPort & { close(): void } {
  const { call, close } = createServiceClient(RegistryServiceClient, address, 'registry', { advice });
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
    close,
  };
}
