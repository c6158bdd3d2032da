import { z } from 'zod';
import type { BatchEndpointSpec, ModelBatchDeploymentSpec, PipelineBatchDeploymentSpec } from '@mooring/domain';
import {
  assetKey,
  codeConfiguration,
  description,
  hasControl,
  text,
  textMap,
  variables,
  whole,
} from './schema-parts.ts';

/** Shapes and ranges of the specs of batch endpoints and deployments (azureml-contract 1.4). */

export const batchEndpoint = z.strictObject({
  description,
  tags: textMap,
  properties: textMap,
  authMode: z.literal('aad_token'),
  defaultDeployment: z.string().exactOptional(),
}) satisfies z.ZodType<BatchEndpointSpec>;

const compute = text((name) => /^[a-zA-Z0-9][-\w.]{0,63}$/.test(name), 'the name of a compute');

/** It becomes a file in the folder of the job's output. */
const fileName = text(
  (name) =>
    name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255 && /^[^/\\]+$/.test(name) && !hasControl(name),
  'a plain file name of at most 255 bytes',
);

const job = z.strictObject({
  instanceCount: whole(1, 64),
  maxConcurrencyPerInstance: whole(1, 64),
  miniBatchSize: whole(1, 100_000),
  outputAction: z.enum(['append_row', 'summary_only']),
  outputFileName: fileName,
  retrySettings: z.strictObject({ maxRetries: whole(0, 100), timeoutS: whole(1, 86_400) }),
  errorThreshold: whole(-1, 2 ** 31 - 1),
  loggingLevel: z.enum(['debug', 'info', 'warning']),
});

export const modelBatchDeployment = z.strictObject({
  description,
  tags: textMap,
  properties: textMap,
  type: z.literal('model'),
  model: assetKey,
  code: codeConfiguration.exactOptional(),
  environment: assetKey.exactOptional(),
  environmentVariables: variables,
  compute,
  job,
}) satisfies z.ZodType<ModelBatchDeploymentSpec>;

export const pipelineBatchDeployment = z.strictObject({
  description,
  tags: textMap,
  properties: textMap,
  type: z.literal('pipeline'),
  component: assetKey,
  settings: z.strictObject({
    defaultCompute: compute.exactOptional(),
    defaultDatastore: text((name) => /^[\w.-]{1,255}$/.test(name), 'the name of a datastore').exactOptional(),
    continueOnStepFailure: z.boolean(),
    forceRerun: z.boolean(),
    experimentName: text((name) => /^[\w.-]{1,255}$/.test(name), 'the name of an experiment').exactOptional(),
  }),
}) satisfies z.ZodType<PipelineBatchDeploymentSpec>;
