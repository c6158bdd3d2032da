import { batchRanges } from '@mooring/domain';
import { computeName, outputFileName } from '../../reading/batch-values.ts';
import { isoFromSeconds } from '../../reading/durations.ts';
import { present } from '../../reading/present.ts';
import { choice, later, mapOf, object, required, whole, type Field, type ObjectOf } from '../../reading/fields.ts';
import { commonFields, endpointName, pathText, variables } from './common.ts';
import { asset, ofKind } from './deployment-parts.ts';
import { readEnvironmentFields, type EnvironmentValues } from './environment.ts';
import { readModelFields, type ModelValues } from './model.ts';

const nodes = 'nodes of a chosen kind';
const instanceCount = whole(...batchRanges.instanceCount);

/** What a job takes unless it says otherwise: at the root in the older form, below `settings` in the newer one. */
export const jobFields = {
  mini_batch_size: whole(...batchRanges.miniBatchSize),
  max_concurrency_per_instance: whole(...batchRanges.maxConcurrencyPerInstance),
  output_action: choice({ append_row: 'AppendRow', summary_only: 'SummaryOnly' }),
  output_file_name: outputFileName,
  retry_settings: object({ max_retries: whole(...batchRanges.maxRetries), timeout: whole(...batchRanges.timeoutS) }),
  error_threshold: whole(...batchRanges.errorThreshold),
  logging_level: choice({ debug: 'debug', info: 'info', warning: 'warning' }),
};

/** Only a pipeline deployment has these; what the others' rules say of one would only mislead. */
const ofPipelines: Field<never> = {
  hidden: true,
  read: (_value, path, reading) => {
    const expected = 'type: pipeline, and nothing of a model';
    reading.problems.push({ path, problem: 'is for pipeline deployments', expected });
    return undefined;
  },
};

const fields = {
  name: required(endpointName),
  endpoint_name: required(endpointName),
  type: choice({ model: 'model', pipeline: 'pipeline' }),
  model: required(asset<ModelValues>('models', readModelFields)),
  code_configuration: object({ code: required(pathText), scoring_script: required(pathText) }),
  environment: asset<EnvironmentValues>('environments', readEnvironmentFields),
  environment_variables: variables,
  compute: required(computeName),
  resources: object({
    instance_count: instanceCount,
    instance_type: later(nodes),
    properties: mapOf(later(nodes)),
    locations: later(nodes),
    shm_size: later(nodes),
    max_instance_count: later(nodes),
    docker_args: later(nodes),
  }),
  settings: object({ ...jobFields, instance_count: instanceCount, environment_variables: variables }),
  ...jobFields,
  component: ofPipelines,
  job_definition: ofPipelines,
  instance_type: ofKind('online-deployment'),
  request_settings: ofKind('online-deployment'),
  scale_settings: ofKind('online-deployment'),
  liveness_probe: ofKind('online-deployment'),
  readiness_probe: ofKind('online-deployment'),
  ...commonFields,
};

export const batchDeployment = object(fields, 'a batch deployment');
export type BatchDeploymentValues = ObjectOf<typeof fields>;
export type JobValues = ObjectOf<typeof jobFields>;
export const jobFieldNames = Object.keys(jobFields) as (keyof JobValues)[];

/** The same as a REST body, of a deployment or of a job, spells it. */
export function jobProperties(job: JobValues): Record<string, unknown> {
  const retry = job.retry_settings;
  return present({
    miniBatchSize: job.mini_batch_size,
    maxConcurrencyPerInstance: job.max_concurrency_per_instance,
    outputAction: job.output_action,
    outputFileName: job.output_file_name,
    errorThreshold: job.error_threshold,
    loggingLevel: job.logging_level,
    retrySettings:
      retry &&
      present({
        maxRetries: retry.max_retries,
        timeout: retry.timeout === undefined ? undefined : isoFromSeconds(retry.timeout),
      }),
  });
}
