import { fixture } from '@mooring/testing';
import { afterAll, describe, expect, it } from 'vitest';
import type { YamlKind } from './index.ts';
import { fileOf, ruleFolder, type Fields } from './testing/rule-files.ts';

const folder = ruleFolder(fixture('azureml-yaml'));
afterAll(() => folder.remove());

const accepted: { kind: YamlKind; fields: Fields; as: object }[] = [
  // Names: 3 to 32 letters, digits and dashes.
  { kind: 'online-endpoint', fields: { name: 'abc' }, as: { name: 'abc' } },
  { kind: 'online-endpoint', fields: { name: 'a--b' }, as: { name: 'a--b' } },
  { kind: 'online-endpoint', fields: { name: `a${'1'.repeat(31)}` }, as: { name: `a${'1'.repeat(31)}` } },
  { kind: 'online-endpoint', fields: { auth_mode: 'Key' }, as: { body: { properties: { authMode: 'Key' } } } },
  { kind: 'online-endpoint', fields: { auth_mode: 'KEY' }, as: { body: { properties: { authMode: 'Key' } } } },
  {
    kind: 'online-endpoint',
    fields: { traffic: '{Martina: 90, luca: "10"}' },
    as: { body: { properties: { traffic: { martina: 90, luca: 10 } } } },
  },
  {
    kind: 'online-endpoint',
    fields: { traffic: '{a-b: 0, luca: 0}' },
    as: { body: { properties: { traffic: { 'a-b': 0, luca: 0 } } } },
  },
  {
    kind: 'online-endpoint',
    fields: { traffic: '{abc: 100}', mirror_traffic: '{luca: 50, old: 10}' },
    as: { body: { properties: { mirrorTraffic: { luca: 50, old: 10 } } } },
  },
  {
    kind: 'online-endpoint',
    fields: { public_network_access: 'Disabled', description: 'one', properties: '{a: 1, b: true}' },
    as: {
      body: {
        properties: { publicNetworkAccess: 'Disabled', description: 'one', properties: { a: '1', b: 'true' } },
      },
    },
  },
  {
    kind: 'online-endpoint',
    fields: { identity: '{type: system_assigned}' },
    as: { body: { identity: { type: 'SystemAssigned' } } },
  },
  { kind: 'online-endpoint', fields: { identity: '{type: none}' }, as: { body: { identity: { type: 'None' } } } },
  // What `az ml ... show` prints may be given back.
  {
    kind: 'online-endpoint',
    fields: {
      id: '/subscriptions/x',
      kind: 'Managed',
      scoring_uri: 'http://x/score',
      openapi_uri: 'http://x/swagger.json',
      provisioning_state: 'Succeeded',
      location: 'westeurope',
    },
    as: { name: 'fern' },
  },
  // Values are kept as they were written, not as YAML reads them.
  {
    kind: 'online-endpoint',
    fields: { tags: '{version: 1.10, date: 2024-01-01, octal: 0o17, none: }' },
    as: { body: { tags: { version: '1.10', date: '2024-01-01', octal: '0o17', none: '' } } },
  },
  { kind: 'online-deployment', fields: { type: 'managed' }, as: { name: 'blue' } },
  {
    kind: 'online-deployment',
    fields: { instance_count: '"50"' },
    as: { body: { sku: { name: 'Default', capacity: 50 } } },
  },
  {
    kind: 'online-deployment',
    fields: { app_insights_enabled: 'yes' },
    as: { body: { properties: { appInsightsEnabled: true } } },
  },
  {
    kind: 'online-deployment',
    fields: { request_settings: '{request_timeout_ms: 180000}' },
    as: { body: { properties: { requestSettings: { requestTimeout: 'PT180S' } } } },
  },
  {
    kind: 'online-deployment',
    fields: { request_settings: '{request_timeout_ms: 1, max_queue_wait_ms: 0}' },
    as: { body: { properties: { requestSettings: { requestTimeout: 'PT0.001S', maxQueueWait: 'PT0S' } } } },
  },
  {
    kind: 'online-deployment',
    fields: { model_mount_path: '/var/models', egress_public_network_access: 'disabled' },
    as: { body: { properties: { modelMountPath: '/var/models', egressPublicNetworkAccess: 'Disabled' } } },
  },
  {
    kind: 'online-deployment',
    fields: { environment_variables: '{WORKER_COUNT: 2, FLAG: true, EMPTY: ""}' },
    as: { body: { properties: { environmentVariables: { WORKER_COUNT: '2', FLAG: 'true', EMPTY: '' } } } },
  },
  {
    kind: 'online-deployment',
    fields: { data_collector: '{collections: {request: {enabled: "False"}}, rolling_rate: day}' },
    as: {
      body: {
        properties: {
          dataCollector: { collections: { request: { dataCollectionMode: 'Disabled' } }, rollingRate: 'Day' },
        },
      },
    },
  },
  {
    kind: 'online-deployment',
    fields: { properties: '{mooring.batch.max-rows: 8, other: x}' },
    as: { body: { properties: { properties: { 'mooring.batch.max-rows': '8', other: 'x' } } } },
  },
  {
    kind: 'online-deployment',
    fields: {
      model:
        'azureml:/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w/models/fern/versions/7',
    },
    as: { model: { reference: { form: 'version', type: 'models', name: 'fern', version: '7' } } },
  },
  {
    kind: 'online-deployment',
    fields: { code_configuration: '{code: "azureml:codes:1", scoring_script: score.py}' },
    as: { code: { source: { reference: { form: 'version', type: 'codes', name: 'codes', version: '1' } } } },
  },
  {
    kind: 'online-deployment',
    fields: { code_configuration: '{code: ./serving/app/.., scoring_script: ./app/handler.py}' },
    as: { code: { scoringScript: './app/handler.py' } },
  },
  { kind: 'model', fields: { version: '3' }, as: { version: '3' } },
  { kind: 'model', fields: { version: '1.10' }, as: { version: '1.10' } },
  { kind: 'model', fields: { version: '"2"' }, as: { version: '2' } },
  { kind: 'model', fields: { version: undefined }, as: { name: 'fern' } },
  {
    kind: 'model',
    fields: { path: 'artifacts/fern/weights.json', stage: 'Production', flavors: '{onnx: {data: x}}' },
    as: {
      files: { name: 'weights.json' },
      body: { properties: { stage: 'Production', flavors: { onnx: { data: 'x' } } } },
    },
  },
  { kind: 'model', fields: { type: 'mlflow_model' }, as: { body: { properties: { modelType: 'mlflow_model' } } } },
  { kind: 'model', fields: { path: '../' }, as: { name: 'fern' } },
  {
    kind: 'environment',
    fields: { conda_file: '{name: z, dependencies: [b, a], channels: [c]}', os_type: 'linux' },
    as: {
      body: {
        properties: {
          condaFile: 'channels:\n  - c\ndependencies:\n  - b\n  - a\nname: z\n',
          osType: 'Linux',
        },
      },
    },
  },
  {
    kind: 'environment',
    fields: { image: undefined, build: '{path: docker}' },
    as: { body: { properties: { build: { dockerfilePath: 'Dockerfile' } } } },
  },
];

describe('a file that follows the rules', () => {
  it.each(accepted)('is read as $kind with $fields', async ({ kind, fields, as }) => {
    expect(await folder.load(kind, fileOf(kind, fields))).toMatchObject(as);
  });

  it('may use anchors, aliases and merge keys', async () => {
    const text = `${fileOf('online-deployment', {})}
liveness_probe: &probe {period: 5, timeout: 3}
readiness_probe: {<<: *probe, timeout: 4}`;
    expect(await folder.load('online-deployment', text)).toMatchObject({
      body: {
        properties: {
          livenessProbe: { period: 'PT5S', timeout: 'PT3S' },
          readinessProbe: { period: 'PT5S', timeout: 'PT4S' },
        },
      },
    });
  });

  it('may begin with a byte order mark', async () => {
    expect(await folder.load('online-endpoint', '\uFEFFname: fern')).toMatchObject({ name: 'fern' });
  });
});
