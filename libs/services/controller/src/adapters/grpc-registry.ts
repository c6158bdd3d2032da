import { RegistryServiceClient } from '@mooring/contracts/registry';
import { storedOf } from '@mooring/contracts/stored-resource';
import type { ResourceKind, Stored } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { createServiceClient } from '@mooring/rpc';
import type { Registry } from '../ports.ts';

const pageSize = 500;
/** More deployments than one machine could run. */
const pagesMax = 200;
const principal = 'mooring-controller';
/** A write waits for its turn behind others. */
const writeDeadlineMs = 15_000;

/** The registry over gRPC. `close` ends the connection. */
export function createGrpcRegistry(address: string): Registry & { close(): void } {
  const { call, close } = createServiceClient(RegistryServiceClient, address, 'registry');
  const write = { deadlineMs: writeDeadlineMs };
  return {
    get: async (kind, key) => {
      try {
        return storedOf((await call('getResource', { kind, key })).resource);
      } catch (thrown) {
        if (PlatformError.from(thrown).code === 'not_found') return undefined;
        throw thrown;
      }
    },
    list: async <K extends ResourceKind>(kind: K, parent = '') => {
      const found: Stored<K>[] = [];
      let pageToken = '';
      for (let page = 0; page < pagesMax; page += 1) {
        const answer = await call('listResources', { kind, parent, pageSize, pageToken });
        found.push(...answer.resources.map((resource) => storedOf<K>(resource)));
        pageToken = answer.nextPageToken;
        if (pageToken === '') break;
      }
      return found;
    },
    report: async ({ kind, key, generation, status, step = '', percentComplete = 0, error, warnings = [] }) => {
      const [errorCode, errorMessage] = [error?.code ?? '', error?.message ?? ''];
      const report = { kind, key, generation, status, step, percentComplete, errorCode, errorMessage };
      await call('reportOperation', { ...report, warnings: [...warnings] }, write);
    },
    remove: async (kind, key) => {
      await call('deleteResource', { kind, key, ifMatch: '', principal }, write);
    },
    finalizeDelete: async (kind, key, generation) => {
      await call('finalizeDelete', { kind, key, generation }, write);
    },
    close,
  };
}
