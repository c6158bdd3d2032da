import { z } from 'zod';
import {
  isAssetName,
  type CodeVersionSpec,
  type EnvironmentVersionSpec,
  type ModelVersionSpec,
  type OnlineDeploymentSpec,
  type OnlineEndpointSpec,
  type ResourceKind,
  type SpecByKind,
} from '@mooring/domain';

/** Shapes and ranges of the specs; what one field says about another, or about other resources, is in the rules. */

/** A custom rule whose message says what would be right. */
function text(test: (value: string) => boolean, expected: string) {
  return z.string().refine(test, { params: { expected } });
}

const description = z.string().max(8_192).exactOptional();
const textMap = z.record(
  text((key) => key.length > 0 && key.length <= 256, 'a name of 1 to 256 characters'),
  z.string(),
);
const shares = z.record(z.string(), z.number());

/** Below the artifact store's root: no way out of it, no empty parts. */
const artifactPath = text(
  (path) =>
    path.length <= 1024 &&
    !hasControl(path) &&
    path.split('/').every((part) => !['', '.', '..'].includes(part)) &&
    !path.includes('\\'),
  "a path in the artifact store, such as 'container/folder'",
);

/** A `name/version` of an asset; whether there is one is a rule. */
const assetKey = text((key) => {
  const names = key.split('/');
  return names.length === 2 && names.every(isAssetName);
}, "'name/version' of an asset");

function hasControl(value: string): boolean {
  return [...value].some((character) => character < ' ' || character === '\u007f');
}

function whole(smallest: number, largest: number) {
  return z.number().int().min(smallest).max(largest);
}

function probe(successThreshold: z.ZodType<number>) {
  return z.strictObject({
    initialDelayS: whole(0, 86_400),
    periodS: whole(1, 86_400),
    timeoutS: whole(1, 86_400),
    successThreshold,
    failureThreshold: whole(1, 1_000),
  });
}

const assetCommon = {
  description,
  tags: textMap,
  properties: textMap,
  isAnonymous: z.boolean(),
  isArchived: z.boolean(),
};

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

const variableName = text((name) => /^[^=\0]{1,256}$/.test(name), "a name of 1 to 256 characters without '='");
const variableValue = text((value) => !value.includes('\0'), 'text without NUL characters');

const deployment = z.strictObject({
  description,
  tags: textMap,
  properties: textMap,
  model: assetKey.exactOptional(),
  code: z
    .strictObject({
      codeKey: assetKey,
      scoringScript: text(
        (path) => artifactPath.safeParse(path).success && path.endsWith('.py'),
        "a .py file, its path relative to the code's folder",
      ),
    })
    .exactOptional(),
  environment: assetKey.exactOptional(),
  environmentVariables: z.record(variableName, variableValue),
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

export const specSchemas = {
  'online-endpoint': endpoint,
  'online-deployment': deployment,
  model,
  environment,
  code,
} satisfies { [K in ResourceKind]: z.ZodType<SpecByKind[K]> };
