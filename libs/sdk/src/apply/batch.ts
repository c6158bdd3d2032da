import type { BatchDeploymentDraft, BatchEndpointDraft } from '@mooring/azureml/yaml';
import type { StoredResource } from '../arm-rest.ts';
import { idsOfSources } from './assets.ts';
import { idOfComponent } from './components.ts';
import type { ApplyContext } from './context.ts';
import { storeEndpoint } from './endpoint.ts';
import { whileStale } from './while-stale.ts';
import { writable } from './online.ts';

/** Stores a batch endpoint. A default deployment that the draft does not speak of stays. */
export async function applyBatchEndpoint(
  draft: BatchEndpointDraft,
  context: ApplyContext & { ifMatch?: string | undefined },
): Promise<StoredResource> {
  return storeEndpoint(context.client.batchEndpoints, draft, ['defaults'], context);
}

/** Uploads and stores what the deployment needs, then the deployment itself. The endpoint must exist. */
export async function applyBatchDeployment(
  draft: BatchDeploymentDraft,
  { ifMatch, ...context }: ApplyContext & { ifMatch?: string | undefined },
): Promise<StoredResource> {
  await context.client.batchEndpoints.get(draft.endpointName, context);
  const { model, ...others } = await idsOfSources(draft, context);
  const reference = model === undefined ? {} : { model: { referenceType: 'Id', assetId: model } };
  const component = await idOfComponent(draft.component, context);
  const properties = { ...draft.body.properties, ...reference, ...others, ...pipelineOf(draft, component) };
  context.onStep?.({ step: `deploying ${draft.endpointName}/${draft.name}` });
  const body = { ...draft.body, properties };
  return context.client.batchDeployments.put(draft.endpointName, draft.name, body, { ...context, ifMatch });
}

function pipelineOf({ body }: BatchDeploymentDraft, assetId: string | undefined): Record<string, unknown> {
  if (assetId === undefined) return {};
  const configuration = body.properties['deploymentConfiguration'] as object;
  return { deploymentConfiguration: { ...configuration, componentId: { referenceType: 'Id', assetId } } };
}

/** Makes a deployment that is there the one of jobs that name none; guarded by the etag of the read. */
export async function setDefaultDeployment(
  endpoint: string,
  deploymentName: string,
  context: ApplyContext,
): Promise<StoredResource> {
  return whileStale(async () => {
    const { body, etag } = await context.client.batchEndpoints.get(endpoint, context);
    const sent = writable(body);
    const properties = { ...sent.properties, defaults: { deploymentName } };
    return context.client.batchEndpoints.put(endpoint, { ...sent, properties }, { ...context, ifMatch: etag });
  });
}
