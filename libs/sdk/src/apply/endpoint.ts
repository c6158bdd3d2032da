import type { ArmBody } from '@mooring/azureml/yaml';
import { PlatformError } from '@mooring/errors';
import type { StoredResource } from '../arm-rest.ts';
import type { ManagementClient } from '../client.ts';
import type { ApplyContext } from './context.ts';

/**
 * Stores an endpoint of either kind. Properties named in `kept` that the draft does not speak of stay as they are: a new
 * description must not change who answers.
 */
export async function storeEndpoint(
  endpoints: ManagementClient['onlineEndpoints' | 'batchEndpoints'],
  { name, body }: { name: string; body: ArmBody },
  kept: readonly string[],
  context: ApplyContext & { ifMatch?: string | undefined },
): Promise<StoredResource> {
  const present = await existing(() => endpoints.get(name, context));
  const before = Object.entries(present?.body.properties ?? {}).filter(([field]) => kept.includes(field));
  const properties = { ...Object.fromEntries(before), ...body.properties };
  context.onStep?.({ step: `${present === undefined ? 'creating' : 'updating'} endpoint ${name}` });
  const ifMatch = context.ifMatch ?? present?.etag;
  return endpoints.put(name, { ...body, properties }, { ...context, ifMatch });
}

/** Undefined instead of `not_found`. */
export async function existing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof PlatformError && thrown.code === 'not_found') return undefined;
    throw thrown;
  }
}
