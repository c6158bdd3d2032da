import { readMooringSettings } from '@mooring/domain';
import { isoFromMs, isoFromSeconds } from '../durations.ts';
import type { ArmBody, DeploymentDraft, LocalFiles, Source } from '../drafts.ts';
import {
  bool,
  choice,
  fraction,
  isObject,
  later,
  listOf,
  mapOf,
  object,
  readOnly,
  required,
  text,
  whole,
  wrong,
  type Field,
  type ObjectOf,
  type Reading,
} from '../fields.ts';
import { filesBelow, localFolder, scoringScript, type LocalContext } from '../local-files.ts';
import { laterProblem } from '../problems.ts';
import { laterReference, readReference, type AssetReference, type AssetType } from '../references.ts';
import { commonFields, endpointName, pathText, present, variables } from './common.ts';
import { draftEnvironment, readEnvironmentFields, type EnvironmentValues } from './environment.ts';
import { draftModel, readModelFields, type ModelValues } from './model.ts';

const kubernetes = 'Kubernetes as a compute target';
const batch = 'batch deployments';
/** Only a batch deployment has these; a file in its older form is known by nothing else. */
const batchFields = {
  compute: later(batch),
  settings: later(batch),
  component: later(batch),
  job_definition: later(batch),
  mini_batch_size: later(batch),
  max_concurrency_per_instance: later(batch),
  output_action: later(batch),
  output_file_name: later(batch),
  retry_settings: later(batch),
  error_threshold: later(batch),
  logging_level: later(batch),
};
const switched = choice({ enabled: 'Enabled', disabled: 'Disabled' });

type Either<V> = { reference: AssetReference } | { values: V };

/** An asset by reference or as a mapping in place. */
function asset<V>(
  type: AssetType,
  readInline: (value: unknown, path: string, reading: Reading) => V | undefined,
): Field<Either<V>> {
  return {
    read(value, path, reading) {
      if (typeof value === 'string') {
        const reference = readReference(value, type, path, reading);
        return reference && { reference };
      }
      if (!isObject(value)) return wrong(reading, path, value, 'a reference (azureml:<name>:<version>) or a mapping');
      const values = readInline(value, path, reading);
      return values && { values };
    },
  };
}

function probe(successThreshold: Field<number>) {
  return object({
    initial_delay: whole(0, 86_400),
    period: whole(1, 86_400),
    timeout: whole(1, 86_400),
    success_threshold: successThreshold,
    failure_threshold: whole(1, 1000),
  });
}

const fields = {
  name: required(endpointName),
  endpoint_name: required(endpointName),
  type: choice({ managed: 'Managed' }, { kubernetes, model: batch, pipeline: batch }),
  model: asset<ModelValues>('models', readModelFields),
  model_mount_path: text({ test: (value) => value.startsWith('/'), expected: 'an absolute path' }),
  code_configuration: object({ code: required(pathText), scoring_script: required(pathText) }),
  environment: asset<EnvironmentValues>('environments', readEnvironmentFields),
  environment_variables: variables,
  instance_type: required(
    text({ test: (value) => /^[\w.-]{1,100}$/.test(value), expected: 'the name of an instance type' }),
  ),
  instance_count: whole(1, 50),
  app_insights_enabled: bool,
  egress_public_network_access: switched,
  scale_settings: object({
    type: required(choice({ default: 'Default' }, { target_utilization: 'automatic scaling' })),
    polling_interval: later('automatic scaling'),
    target_utilization_percentage: later('automatic scaling'),
    min_instances: later('automatic scaling'),
    max_instances: later('automatic scaling'),
  }),
  request_settings: object({
    request_timeout_ms: whole(1, 180_000),
    max_concurrent_requests_per_instance: whole(1, 100_000),
    max_queue_wait_ms: whole(0, 180_000),
  }),
  // One good answer always ends a liveness failure; Azure fixes it too.
  liveness_probe: probe(whole(1, 1)),
  readiness_probe: probe(whole(1, 1000)),
  data_collector: object({
    collections: required(mapOf(object({ enabled: bool, data: later('data assets'), client_id: readOnly }))),
    rolling_rate: choice({ minute: 'Minute', hour: 'Hour', day: 'Day', month: 'Month', year: 'Year' }),
    sampling_rate: fraction(0, 1),
    request_logging: object({ capture_headers: listOf(text()) }),
  }),
  resources: later(kubernetes),
  private_network_connection: later('private networks'),
  ...batchFields,
  ...commonFields,
};

const deployment = object(fields, 'an online deployment');
type DeploymentValues = ObjectOf<typeof fields>;

/** azureml-contract 1.3, local files included. Undefined when a problem was noted. */
export async function readOnlineDeployment(
  value: unknown,
  reading: Reading,
  context: LocalContext,
): Promise<DeploymentDraft | undefined> {
  const read = deployment.read(value, '', reading);
  if (read === undefined) return undefined;
  noteKindOfServing(read, value, reading);
  reading.problems.push(...readMooringSettings(read.properties ?? {}).problems);
  dropProblemsOfAnotherType(reading);
  if (reading.problems.some((problem) => problem.later)) return undefined;
  const code = await readCode(read, reading, context);
  const model = await sourceOf(read.model, (values) => draftModel(values, 'model', context));
  const environment = await sourceOf(read.environment, (values) => draftEnvironment(values, 'environment', context));
  if (model !== undefined && 'inline' in model && read.code_configuration === undefined)
    await noteMissingOnnx(model.inline.files, context);
  if (read.name === undefined || read.endpoint_name === undefined || reading.problems.length > 0) return undefined;
  return {
    kind: 'online-deployment',
    name: read.name,
    endpointName: read.endpoint_name,
    body: bodyOf(read),
    ...present({ model, environment, code }),
  } as DeploymentDraft;
}

/** A Kubernetes or batch deployment has other rules; what the managed one's say of it would only mislead. */
function dropProblemsOfAnotherType(reading: Reading): void {
  const type = reading.problems.find(
    ({ path, later: isLater }) => isLater && (path === 'type' || Object.hasOwn(batchFields, path)),
  );
  if (type !== undefined) reading.problems.splice(0, reading.problems.length, type);
}

/** Without code a model must serve itself: an ONNX model does; MLflow and Triton folders will. */
function noteKindOfServing(read: DeploymentValues, value: unknown, reading: Reading): void {
  if (!isObject(value) || (value['code_configuration'] ?? undefined) !== undefined) return;
  const type = read.model && 'values' in read.model ? read.model.values.type : undefined;
  if (type === 'mlflow_model')
    reading.problems.push(laterProblem('model.type', 'MLflow models without a scoring script'));
  if (type === 'triton_model')
    reading.problems.push(laterProblem('model.type', 'Triton models without a scoring script'));
  if ((value['model'] ?? undefined) === undefined) {
    reading.problems.push({
      path: 'model',
      problem: 'is missing',
      expected: 'a model, or code_configuration with a scoring script',
    });
  }
}

async function noteMissingOnnx(files: LocalFiles, context: LocalContext): Promise<void> {
  const names = files.path.endsWith('.onnx') ? [files.path] : await filesBelow(files.path);
  if (names.some((name) => name.endsWith('.onnx'))) return;
  context.problems.push({
    path: 'code_configuration',
    problem: `is missing, and ${files.path} holds no ONNX model that could be served without it`,
    expected: 'code and scoring_script, or a model with an .onnx file',
  });
}

async function readCode(
  read: DeploymentValues,
  reading: Reading,
  context: LocalContext,
): Promise<DeploymentDraft['code'] | undefined> {
  const { code, scoring_script: script } = read.code_configuration ?? {};
  if (code === undefined || script === undefined) return undefined;
  const path = 'code_configuration.code';
  const capability = laterReference(code);
  if (capability !== undefined) {
    reading.problems.push(laterProblem(path, capability));
    return undefined;
  }
  if (code.startsWith('azureml:') || /^\/subscriptions\//i.test(code)) {
    const reference = readReference(code, 'codes', path, reading);
    return reference && { source: { reference }, scoringScript: script };
  }
  const files = await localFolder(code, path, context);
  if (files === undefined) return undefined;
  await scoringScript(files.path, script, 'code_configuration.scoring_script', context);
  return { source: { files }, scoringScript: script };
}

async function sourceOf<V, D>(
  either: Either<V> | undefined,
  draft: (values: V) => Promise<D | undefined>,
): Promise<Source<D> | undefined> {
  if (either === undefined) return undefined;
  if ('reference' in either) return { reference: either.reference };
  const inline = await draft(either.values);
  return inline && { inline };
}

function bodyOf(read: DeploymentValues): ArmBody {
  const settings = read.request_settings;
  return {
    location: 'local',
    tags: read.tags ?? {},
    sku: { name: 'Default', capacity: read.instance_count ?? 1 },
    properties: present({
      endpointComputeType: 'Managed',
      description: read.description,
      properties: read.properties ?? {},
      environmentVariables: read.environment_variables ?? {},
      appInsightsEnabled: read.app_insights_enabled ?? false,
      instanceType: read.instance_type,
      modelMountPath: read.model_mount_path,
      egressPublicNetworkAccess: read.egress_public_network_access,
      scaleSettings: read.scale_settings?.type && { scaleType: read.scale_settings.type },
      requestSettings:
        settings &&
        present({
          requestTimeout: optional(settings.request_timeout_ms, isoFromMs),
          maxConcurrentRequestsPerInstance: settings.max_concurrent_requests_per_instance,
          maxQueueWait: optional(settings.max_queue_wait_ms, isoFromMs),
        }),
      livenessProbe: probeBody(read.liveness_probe),
      readinessProbe: probeBody(read.readiness_probe),
      dataCollector: collectorBody(read.data_collector),
    }),
  };
}

function optional<A, B>(value: A | undefined, convert: (value: A) => B): B | undefined {
  return value === undefined ? undefined : convert(value);
}

function probeBody(values: DeploymentValues['liveness_probe']): Record<string, unknown> | undefined {
  if (values === undefined) return undefined;
  return present({
    initialDelay: optional(values.initial_delay, isoFromSeconds),
    period: optional(values.period, isoFromSeconds),
    timeout: optional(values.timeout, isoFromSeconds),
    successThreshold: values.success_threshold,
    failureThreshold: values.failure_threshold,
  });
}

/** REST has the sampling rate at each collection, YAML beside them (azureml-contract 1.3). */
function collectorBody(values: DeploymentValues['data_collector']): Record<string, unknown> | undefined {
  if (values === undefined) return undefined;
  const collections = Object.entries(values.collections ?? {}).map(([name, { enabled }]) => [
    name,
    present({ dataCollectionMode: enabled ? 'Enabled' : 'Disabled', samplingRate: values.sampling_rate }),
  ]);
  return present({
    collections: Object.fromEntries(collections) as Record<string, unknown>,
    rollingRate: values.rolling_rate,
    requestLogging: values.request_logging && { captureHeaders: values.request_logging.capture_headers ?? [] },
  });
}
