import { msFromIso } from '../reading/durations.ts';
import { isObject } from '../reading/fields.ts';
import { parseYaml } from './read-yaml.ts';

/** Kinds whose ARM bodies can be shown; containers are what the list of all models holds. */
export type ShapeKind = 'online-endpoint' | 'online-deployment' | 'model' | 'environment';

type Json = Record<string, unknown>;

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
  model: modelShape,
  environment: environmentShape,
};

function endpointShape(arm: Json, properties: Json): Json {
  const identity = isObject(arm['identity']) ? arm['identity'] : undefined;
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
    identity:
      identity &&
      withoutUndefined({
        type: snake(identity['type']),
        principal_id: identity['principalId'],
        tenant_id: identity['tenantId'],
      }),
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

/** A version has its asset's name in the id and its own version as name; a container has only its name. */
function assetShape(arm: Json, properties: Json): Json {
  const version = segmentAfter(arm['id'], 'versions');
  const name = segmentAfter(arm['id'], 'models') ?? segmentAfter(arm['id'], 'environments');
  return {
    name: name ?? arm['name'],
    version,
    latest_version: properties['latestVersion'],
    description: properties['description'],
    tags: properties['tags'] ?? {},
    properties: properties['properties'] ?? {},
    id: arm['id'],
    // `az ml` prints no such field; without it nobody could see what archive did.
    archived: properties['isArchived'] === true ? true : undefined,
    provisioning_state: properties['provisioningState'],
    creation_context: creationContext(arm['systemData']),
  };
}

function codeShape(value: unknown): Json | undefined {
  if (!isObject(value)) return undefined;
  return withoutUndefined({ code: value['codeId'], scoring_script: value['scoringScript'] });
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

function creationContext(value: unknown): Json | undefined {
  if (!isObject(value)) return undefined;
  return withoutUndefined({
    created_at: value['createdAt'],
    created_by: value['createdBy'],
    created_by_type: value['createdByType'],
    last_modified_at: value['lastModifiedAt'],
    last_modified_by: value['lastModifiedBy'],
    last_modified_by_type: value['lastModifiedByType'],
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

function reference(value: unknown): string | undefined {
  return typeof value === 'string' ? `azureml:${value.replace(/^azureml:/, '')}` : undefined;
}

function segmentAfter(id: unknown, segment: string): string | undefined {
  if (typeof id !== 'string') return undefined;
  const segments = id.split('/');
  const at = segments.findIndex((part) => part.toLowerCase() === segment.toLowerCase());
  return at === -1 ? undefined : segments[at + 1];
}

function authWord(value: unknown): string | undefined {
  const word = String(value ?? '').toLowerCase();
  return { key: 'key', amltoken: 'aml_token', aadtoken: 'aad_token' }[word];
}

function lower(value: unknown): string | undefined {
  return typeof value === 'string' ? value.toLowerCase() : undefined;
}

function snake(value: unknown): string | undefined {
  return typeof value === 'string' ? value.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase() : undefined;
}

function ms(value: unknown): number | undefined {
  return typeof value === 'string' ? msFromIso(value) : undefined;
}

function seconds(value: unknown): number | undefined {
  const inMs = ms(value);
  return inMs === undefined ? undefined : inMs / 1000;
}

function withoutUndefined(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined && item !== null));
}
