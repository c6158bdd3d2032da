import type { Resource, ResourceKind, Stored } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Resource as ResourceMessage } from './gen/mooring/registry/v1/registry.ts';

/** The registry's message as the resource that it carries; `undefined` is an answer that breaks the contract. */
export function storedOf<K extends ResourceKind>(message: ResourceMessage | undefined): Stored<K> {
  if (message === undefined) {
    throw new PlatformError('internal', 'NO_RESOURCE', 'the registry answered without the resource');
  }
  return { ...(JSON.parse(message.documentJson) as Resource<K>), etag: message.etag };
}
