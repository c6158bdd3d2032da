import { z } from 'zod';
import type {
  CodeVersionSpec,
  ComponentVersionSpec,
  DataVersionSpec,
  EnvironmentVersionSpec,
  ModelVersionSpec,
  OnlineDeploymentSpec,
  OnlineEndpointSpec,
  ResourceKind,
  SpecByKind,
} from '@mooring/domain';
import { batchEndpoint, modelBatchDeployment, pipelineBatchDeployment } from './batch-schemas.ts';
import {
  artifactPath,
  assetCommon,
  assetKey,
  codeConfiguration,
  description,
  hasControl,
  text,
  textMap,
  variables,
  whole,
} from './schema-parts.ts';

/** Shapes and ranges of the specs; what one field says about another, or about other resources, is in the rules. */

const shares = z.record(z.string(), z.number());

function probe(successThreshold: z.ZodType<number>) {
  return z.strictObject({
    initialDelayS: whole(0, 86_400),
    periodS: whole(1, 86_400),
    timeoutS: whole(1, 86_400),
    successThreshold,
    failureThreshold: whole(1, 1_000),
  });
}

const endpoint = z.strictObject({
  description,
  tags: textMap,
  properties: textMap,
  authMode: z.enum(['key', 'aml_token', 'aad_token']),
  traffic: shares,
  mirrorTraffic: shares,
  publicNetworkAccess: z.enum(['enabled', 'disabled']),
  identity: z.strictObject({ type: z.string() }).exactOptional(),
}) satisfies z.ZodType<OnlineEndpointSpec>;

const deployment = z.strictObject({
  description,
  tags: textMap,
  properties: textMap,
  model: assetKey.exactOptional(),
  code: codeConfiguration.exactOptional(),
  environment: assetKey.exactOptional(),
  environmentVariables: variables,
  modelMountPath: text(
    (path) => path.startsWith('/') && path.length <= 1024 && !hasControl(path) && !path.split('/').includes('..'),
    'an absolute path',
  ).exactOptional(),
  instanceType: text((type) => /^[\w.-]{1,100}$/.test(type), 'the name of an instance type'),
  instanceCount: whole(1, 50),
  appInsightsEnabled: z.boolean(),
  egressPublicNetworkAccess: z.enum(['enabled', 'disabled']),
  requestSettings: z.strictObject({
    requestTimeoutMs: whole(1, 180_000),
    maxConcurrentRequestsPerInstance: whole(1, 100_000),
    maxQueueWaitMs: whole(0, 180_000),
  }),
  // One good answer always ends a liveness failure; Azure fixes it too.
  livenessProbe: probe(z.literal(1)),
  readinessProbe: probe(whole(1, 1_000)),
  scaleSettings: z.strictObject({ type: z.literal('default') }),
  dataCollector: z.unknown().exactOptional(),
}) satisfies z.ZodType<OnlineDeploymentSpec>;

const model = z.strictObject({
  ...assetCommon,
  type: z.enum(['custom_model', 'mlflow_model', 'triton_model']),
  path: artifactPath,
  stage: z.string().max(256).exactOptional(),
  flavors: z.record(z.string(), z.unknown()).exactOptional(),
}) satisfies z.ZodType<ModelVersionSpec>;

const environment = z.strictObject({
  ...assetCommon,
  image: text((image) => /^\S{1,512}$/.test(image), 'the name of a container image').exactOptional(),
  condaFile: z.string().max(262_144).exactOptional(),
  build: z.strictObject({ contextPath: artifactPath, dockerfilePath: artifactPath }).exactOptional(),
  osType: z.enum(['linux', 'windows']),
}) satisfies z.ZodType<EnvironmentVersionSpec>;

const code = z.strictObject({ ...assetCommon, path: artifactPath }) satisfies z.ZodType<CodeVersionSpec>;

const data = z.strictObject({
  ...assetCommon,
  type: z.enum(['uri_file', 'uri_folder', 'mltable']),
  path: artifactPath,
}) satisfies z.ZodType<DataVersionSpec>;

const component = z.strictObject({
  ...assetCommon,
  component: z.record(z.string(), z.unknown()),
}) satisfies z.ZodType<ComponentVersionSpec>;

const specSchemas = {
  'online-endpoint': endpoint,
  'online-deployment': deployment,
  'batch-endpoint': batchEndpoint,
  'batch-deployment': modelBatchDeployment,
  model,
  environment,
  code,
  data,
  component,
} satisfies { [K in ResourceKind]: z.ZodType<SpecByKind[K]> };

/** The schema of a kind; of batch deployments, which come in two types, that of the type that `raw` says. */
export function schemaOf(kind: ResourceKind, raw: Readonly<Record<string, unknown>>): z.ZodObject {
  return kind === 'batch-deployment' && raw['type'] === 'pipeline' ? pipelineBatchDeployment : specSchemas[kind];
}
