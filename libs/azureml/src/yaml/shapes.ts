import { isObject } from '../reading/fields.ts';
import { batchDeploymentShape, batchEndpointShape, componentShape } from './batch-shapes.ts';
import type { YamlKind } from './drafts.ts';
import { parseYaml } from './read-yaml.ts';
import {
  assetShape,
  authWord,
  codeShape,
  creationContext,
  identityShape,
  lower,
  ms,
  reference,
  seconds,
  segmentAfter,
  snake,
  withoutUndefined,
  type Json,
} from './shape-parts.ts';

/** Kinds whose ARM bodies can be shown; containers are what the list of all models holds. */
export type ShapeKind = YamlKind;

/**
 * An ARM body with the field names that `az ml` prints: snake_case, enum words in YAML's spelling, durations as whole
 * ms or s. What it prints can be edited and given back to `update -f`.
 */
export function yamlShapeOf(kind: ShapeKind, body: unknown): Json {
  const arm = isObject(body) ? body : {};
  const properties = isObject(arm['properties']) ? arm['properties'] : {};
  return { ...shapers[kind](arm, properties), ...moreShape(properties['mooring']) };
}

/** What Azure has no field for: why it failed, what it does now, where its model runs, what a user should know. */
function moreShape(value: unknown): Json {
  if (!isObject(value)) return {};
  return withoutUndefined({
    provisioning_step: value['step'],
    provisioning_error: value['error'],
    warnings: value['warnings'],
    placement: placementShape(value['placement']),
  });
}

function placementShape(value: unknown): Json | undefined {
  if (!isObject(value)) return undefined;
  return withoutUndefined({ chosen: value['chosen'], run_us: value['runUs'], why: value['why'] });
}

const shapers: Readonly<Record<ShapeKind, (arm: Json, properties: Json) => Json>> = {
  'online-endpoint': endpointShape,
  'online-deployment': deploymentShape,
  'batch-endpoint': batchEndpointShape,
  'batch-deployment': batchDeploymentShape,
  model: modelShape,
  environment: environmentShape,
  data: dataShape,
  component: componentShape,
};

function endpointShape(arm: Json, properties: Json): Json {
  return withoutUndefined({
    name: arm['name'],
    description: properties['description'],
    tags: arm['tags'] ?? {},
    properties: properties['properties'] ?? {},
    id: arm['id'],
    auth_mode: authWord(properties['authMode']),
    traffic: properties['traffic'] ?? {},
    mirror_traffic: properties['mirrorTraffic'] ?? {},
    scoring_uri: properties['scoringUri'],
    openapi_uri: properties['swaggerUri'],
    provisioning_state: properties['provisioningState'],
    public_network_access: lower(properties['publicNetworkAccess']),
    identity: identityShape(arm['identity']),
    kind: arm['kind'],
    location: arm['location'],
    creation_context: creationContext(arm['systemData']),
  });
}

function deploymentShape(arm: Json, properties: Json): Json {
  const sku = isObject(arm['sku']) ? arm['sku'] : {};
  return withoutUndefined({
    name: arm['name'],
    endpoint_name: segmentAfter(arm['id'], 'onlineEndpoints'),
    description: properties['description'],
    tags: arm['tags'] ?? {},
    properties: properties['properties'] ?? {},
    id: arm['id'],
    type: lower(properties['endpointComputeType'] ?? 'Managed'),
    model: reference(properties['model']),
    model_mount_path: properties['modelMountPath'],
    code_configuration: codeShape(properties['codeConfiguration']),
    environment: reference(properties['environmentId']),
    environment_variables: properties['environmentVariables'] ?? {},
    instance_type: properties['instanceType'],
    instance_count: sku['capacity'],
    app_insights_enabled: properties['appInsightsEnabled'],
    egress_public_network_access: lower(properties['egressPublicNetworkAccess']),
    request_settings: requestShape(properties['requestSettings']),
    scale_settings: isObject(properties['scaleSettings'])
      ? { type: snake(properties['scaleSettings']['scaleType']) }
      : undefined,
    liveness_probe: probeShape(properties['livenessProbe']),
    readiness_probe: probeShape(properties['readinessProbe']),
    data_collector: collectorShape(properties['dataCollector']),
    provisioning_state: properties['provisioningState'],
    creation_context: creationContext(arm['systemData']),
  });
}

function modelShape(arm: Json, properties: Json): Json {
  return withoutUndefined({
    ...assetShape(arm, properties),
    type: properties['modelType'],
    path: properties['modelUri'],
    stage: properties['stage'],
    flavors: properties['flavors'],
    job_name: properties['jobName'],
  });
}

function dataShape(arm: Json, properties: Json): Json {
  return withoutUndefined({
    ...assetShape(arm, properties),
    type: properties['dataType'],
    path: properties['dataUri'],
  });
}

function environmentShape(arm: Json, properties: Json): Json {
  const build = isObject(properties['build']) ? properties['build'] : undefined;
  return withoutUndefined({
    ...assetShape(arm, properties),
    image: properties['image'],
    conda_file: condaShape(properties['condaFile']),
    build: build && withoutUndefined({ path: build['contextUri'], dockerfile_path: build['dockerfilePath'] }),
    os_type: lower(properties['osType']),
  });
}

function requestShape(value: unknown): Json | undefined {
  if (!isObject(value)) return undefined;
  return withoutUndefined({
    request_timeout_ms: ms(value['requestTimeout']),
    max_concurrent_requests_per_instance: value['maxConcurrentRequestsPerInstance'],
    max_queue_wait_ms: ms(value['maxQueueWait']),
  });
}

function probeShape(value: unknown): Json | undefined {
  if (!isObject(value)) return undefined;
  return withoutUndefined({
    initial_delay: seconds(value['initialDelay']),
    period: seconds(value['period']),
    timeout: seconds(value['timeout']),
    success_threshold: value['successThreshold'],
    failure_threshold: value['failureThreshold'],
  });
}

function collectorShape(value: unknown): Json | undefined {
  if (!isObject(value)) return undefined;
  const collections = Object.entries(isObject(value['collections']) ? value['collections'] : {});
  const rate = collections
    .map(([, item]) => (isObject(item) ? item['samplingRate'] : undefined))
    .find((item) => item !== undefined);
  const logging = value['requestLogging'];
  return withoutUndefined({
    collections: Object.fromEntries(
      collections.map(([name, item]) => [
        name,
        { enabled: isObject(item) && item['dataCollectionMode'] === 'Enabled' ? 'True' : 'False' },
      ]),
    ),
    rolling_rate: lower(value['rollingRate']),
    sampling_rate: rate,
    request_logging: isObject(logging) ? { capture_headers: logging['captureHeaders'] ?? [] } : undefined,
  });
}

/** Shown as the mapping it holds, as `az ml` does; text that is no YAML stays text. */
function condaShape(value: unknown): unknown {
  if (typeof value !== 'string') return undefined;
  try {
    return parseYaml(value, 'the conda file')[0]?.value ?? value;
  } catch {
    return value;
  }
}
