import { isObject } from '../reading/fields.ts';
import {
  assetShape,
  authWord,
  codeShape,
  creationContext,
  identityShape,
  lower,
  reference,
  seconds,
  segmentAfter,
  snake,
  withoutUndefined,
  type Json,
} from './shape-parts.ts';

export function batchEndpointShape(arm: Json, properties: Json): Json {
  const defaults = isObject(properties['defaults']) ? properties['defaults'] : {};
  const deployment = defaults['deploymentName'];
  return withoutUndefined({
    name: arm['name'],
    description: properties['description'],
    tags: arm['tags'] ?? {},
    properties: properties['properties'] ?? {},
    id: arm['id'],
    auth_mode: authWord(properties['authMode']),
    defaults: deployment === undefined ? undefined : { deployment_name: deployment },
    scoring_uri: properties['scoringUri'],
    openapi_uri: properties['swaggerUri'],
    provisioning_state: properties['provisioningState'],
    identity: identityShape(arm['identity']),
    location: arm['location'],
    creation_context: creationContext(arm['systemData']),
  });
}

/** A model deployment in the older form, settings at the root: so Azure's client prints it whatever it was made from. */
export function batchDeploymentShape(arm: Json, properties: Json): Json {
  const pipeline = properties['deploymentConfiguration'];
  return withoutUndefined({
    name: arm['name'],
    endpoint_name: segmentAfter(arm['id'], 'batchEndpoints'),
    description: properties['description'],
    tags: arm['tags'] ?? {},
    properties: properties['properties'] ?? {},
    id: arm['id'],
    ...(isObject(pipeline) ? pipelineShape(pipeline) : modelShape(properties)),
    provisioning_state: properties['provisioningState'],
    creation_context: creationContext(arm['systemData']),
  });
}

/** What its file says at the root, beside what every asset has. */
export function componentShape(arm: Json, properties: Json): Json {
  const spec = isObject(properties['componentSpec']) ? properties['componentSpec'] : {};
  return withoutUndefined({ ...spec, ...assetShape(arm, properties) });
}

function pipelineShape(configuration: Json): Json {
  const settings = isObject(configuration['settings']) ? configuration['settings'] : {};
  return {
    type: 'pipeline',
    component: assetReference(configuration['componentId']),
    // Azure's bodies have texts here.
    settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, truths.get(value) ?? value])),
  };
}

function modelShape(properties: Json): Json {
  const { model, compute, resources, retrySettings } = properties;
  return {
    model: assetReference(model),
    code_configuration: codeShape(properties['codeConfiguration']),
    environment: reference(properties['environmentId']),
    environment_variables: properties['environmentVariables'] ?? {},
    compute: reference(compute),
    resources: isObject(resources) ? { instance_count: resources['instanceCount'] } : undefined,
    max_concurrency_per_instance: properties['maxConcurrencyPerInstance'],
    mini_batch_size: properties['miniBatchSize'],
    output_action: snake(properties['outputAction']),
    output_file_name: properties['outputFileName'],
    retry_settings: isObject(retrySettings)
      ? { max_retries: retrySettings['maxRetries'], timeout: seconds(retrySettings['timeout']) }
      : undefined,
    error_threshold: properties['errorThreshold'],
    logging_level: lower(properties['loggingLevel']),
  };
}

const truths: ReadonlyMap<unknown, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

function assetReference(value: unknown): string | undefined {
  return isObject(value) ? reference(value['assetId']) : undefined;
}
