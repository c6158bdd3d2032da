import type { ArmBody, DeploymentDraft, EndpointDraft } from '@mooring/azureml/yaml';
import { asObject } from '../arm-error.ts';
import type { StoredResource } from '../arm-rest.ts';
import { idsOfSources } from './assets.ts';
import type { ApplyContext } from './context.ts';
import { storeEndpoint } from './endpoint.ts';
import { whileStale } from './while-stale.ts';

/** Stores an endpoint. Traffic that the draft does not speak of stays as it is: a new description must not cut it. */
export async function applyEndpoint(
  draft: EndpointDraft,
  context: ApplyContext & { ifMatch?: string | undefined },
): Promise<StoredResource> {
  return storeEndpoint(context.client.onlineEndpoints, draft, ['traffic', 'mirrorTraffic'], context);
}

/** Uploads and stores what the deployment needs, then the deployment itself. The endpoint must exist. */
export async function applyDeployment(
  draft: DeploymentDraft,
  { ifMatch, ...context }: ApplyContext & { ifMatch?: string | undefined },
): Promise<StoredResource> {
  await context.client.onlineEndpoints.get(draft.endpointName, context);
  // The etag is the deployment's; what it is made of has its own.
  const properties = { ...draft.body.properties, ...(await idsOfSources(draft, context)) };
  context.onStep?.({ step: `deploying ${draft.endpointName}/${draft.name}` });
  const body = { ...draft.body, properties };
  return context.client.onlineDeployments.put(draft.endpointName, draft.name, body, { ...context, ifMatch });
}

export type TrafficTables = { traffic: Record<string, number>; mirrorTraffic: Record<string, number> };

/**
 * Changes an endpoint's traffic tables by what they are now. The write is guarded by the etag of the read: when somebody
 * else changed the endpoint in between, `change` is asked again with the newer tables.
 */
export async function updateTraffic(
  endpoint: string,
  change: (tables: TrafficTables) => Partial<TrafficTables>,
  context: ApplyContext,
): Promise<StoredResource> {
  return whileStale(async () => {
    const { body, etag } = await context.client.onlineEndpoints.get(endpoint, context);
    const tables = {
      traffic: tableOf(body.properties['traffic']),
      mirrorTraffic: tableOf(body.properties['mirrorTraffic']),
    };
    const changed: ArmBody = {
      ...writable(body),
      properties: { ...writable(body).properties, ...tables, ...change(tables) },
    };
    return context.client.onlineEndpoints.put(endpoint, changed, { ...context, ifMatch: etag });
  });
}

/** What a client may send back of a resource that it read. */
export function writable(body: StoredResource['body']): ArmBody {
  const { location, tags, identity, sku, properties } = body as unknown as ArmBody;
  const kept = Object.fromEntries(Object.entries(properties).filter(([key]) => !readOnlyProperties.has(key)));
  const rest = Object.fromEntries(
    Object.entries({ location, tags, identity, sku }).filter(([, value]) => value !== undefined),
  );
  return { ...rest, properties: kept };
}

const readOnlyProperties = new Set([
  'provisioningState',
  'scoringUri',
  'swaggerUri',
  'keys',
  'error',
  'provisioningError',
]);

function tableOf(value: unknown): Record<string, number> {
  return Object.fromEntries(
    Object.entries(asObject(value)).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
