import {
  bool,
  choice,
  fraction,
  later,
  listOf,
  mapOf,
  object,
  readOnly,
  required,
  text,
  whole,
  type Field,
  type ObjectOf,
} from '../../reading/fields.ts';
import { commonFields, endpointName, pathText, variables } from './common.ts';
import { asset, ofKind } from './deployment-parts.ts';
import { readEnvironmentFields, type EnvironmentValues } from './environment.ts';
import { readModelFields, type ModelValues } from './model.ts';

const kubernetes = 'Kubernetes as a compute target';
const batch = ofKind('batch-deployment');
/** Only a batch deployment has these; a file in its older form is known by nothing else. */
export const batchFields = {
  compute: batch,
  settings: batch,
  component: batch,
  job_definition: batch,
  mini_batch_size: batch,
  max_concurrency_per_instance: batch,
  output_action: batch,
  output_file_name: batch,
  retry_settings: batch,
  error_threshold: batch,
  logging_level: batch,
};
const managed = choice({ managed: 'Managed' }, { kubernetes });
const switched = choice({ enabled: 'Enabled', disabled: 'Disabled' });

function probe(successThreshold: Field<number>) {
  return object({
    initial_delay: whole(0, 86_400),
    period: whole(1, 86_400),
    timeout: whole(1, 86_400),
    success_threshold: successThreshold,
    failure_threshold: whole(1, 1000),
  });
}

const type: Field<string> = {
  read: (value, path, reading) =>
    (/^(model|pipeline)$/i.test(String(value)) ? batch : managed).read(value, path, reading),
};

const fields = {
  name: required(endpointName),
  endpoint_name: required(endpointName),
  type,
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
    collections: required(
      mapOf(object({ enabled: bool, data: later('assets of collected data'), client_id: readOnly })),
    ),
    rolling_rate: choice({ minute: 'Minute', hour: 'Hour', day: 'Day', month: 'Month', year: 'Year' }),
    sampling_rate: fraction(0, 1),
    request_logging: object({ capture_headers: listOf(text()) }),
  }),
  resources: later(kubernetes),
  private_network_connection: later('private networks'),
  ...batchFields,
  ...commonFields,
};

export const deployment = object(fields, 'an online deployment');
export type DeploymentValues = ObjectOf<typeof fields>;
