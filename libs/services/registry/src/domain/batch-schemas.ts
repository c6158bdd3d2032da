import { z } from 'zod';
import {
  batchRanges,
  outputFileNameRule,
  type BatchEndpointSpec,
  type ModelBatchDeploymentSpec,
  type PipelineBatchDeploymentSpec,
} from '@mooring/domain';
import { assetKey, codeConfiguration, description, text, textMap, variables, whole } from './schema-parts.ts';

/** Shapes and ranges of the specs of batch endpoints and deployments (azureml-contract 1.4). */

export const batchEndpoint = z.strictObject({
  description,
  tags: textMap,
  properties: textMap,
  authMode: z.literal('aad_token'),
  defaultDeployment: z.string().exactOptional(),
}) satisfies z.ZodType<BatchEndpointSpec>;

const compute = text((name) => /^[a-zA-Z0-9][-\w.]{0,63}$/.test(name), 'the name of a compute');

const job = z.strictObject({
  instanceCount: whole(...batchRanges.instanceCount),
  maxConcurrencyPerInstance: whole(...batchRanges.maxConcurrencyPerInstance),
  miniBatchSize: whole(...batchRanges.miniBatchSize),
  outputAction: z.enum(['append_row', 'summary_only']),
  outputFileName: text(outputFileNameRule.test, outputFileNameRule.expected),
  retrySettings: z.strictObject({
    maxRetries: whole(...batchRanges.maxRetries),
    timeoutS: whole(...batchRanges.timeoutS),
  }),
  errorThreshold: whole(...batchRanges.errorThreshold),
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
