import {
  batchJobDefaults,
  probeDefaults,
  requestSettingsDefaults,
  type PipelineBatchDeploymentSpec,
  type ResourceKind,
  type SpecByKind,
} from '@mooring/domain';

const neutralAsset = { tags: {}, properties: {}, isAnonymous: false, isArchived: false };
const neutralSpecs: SpecByKind = {
  'online-endpoint': {
    tags: {},
    properties: {},
    authMode: 'key',
    traffic: {},
    mirrorTraffic: {},
    publicNetworkAccess: 'enabled',
  },
  'online-deployment': {
    tags: {},
    properties: {},
    model: 'none/0',
    code: { codeKey: 'none/0', scoringScript: 'none.py' },
    environment: 'none/0',
    environmentVariables: {},
    instanceType: 'none',
    instanceCount: 1,
    appInsightsEnabled: false,
    egressPublicNetworkAccess: 'enabled',
    requestSettings: requestSettingsDefaults,
    livenessProbe: probeDefaults,
    readinessProbe: probeDefaults,
    scaleSettings: { type: 'default' },
  },
  'batch-endpoint': { tags: {}, properties: {}, authMode: 'aad_token' },
  'batch-deployment': {
    tags: {},
    properties: {},
    type: 'model',
    model: 'none/0',
    code: { codeKey: 'none/0', scoringScript: 'none.py' },
    environment: 'none/0',
    environmentVariables: {},
    compute: 'none',
    job: batchJobDefaults,
  },
  model: { ...neutralAsset, type: 'custom_model', path: 'none' },
  environment: { ...neutralAsset, osType: 'linux' },
  code: { ...neutralAsset, path: 'none' },
  data: { ...neutralAsset, type: 'uri_folder', path: 'none' },
  component: { ...neutralAsset, component: {} },
};

const neutralPipeline: PipelineBatchDeploymentSpec = {
  tags: {},
  properties: {},
  type: 'pipeline',
  component: 'none/0',
  settings: { continueOnStepFailure: false, forceRerun: false },
};

/** What the rules see in place of the broken fields of `raw`. */
export function neutralSpec(kind: ResourceKind, raw: Readonly<Record<string, unknown>>): SpecByKind[ResourceKind] {
  return kind === 'batch-deployment' && raw['type'] === 'pipeline' ? neutralPipeline : neutralSpecs[kind];
}
