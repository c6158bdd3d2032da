import { describe, expect, it } from 'vitest';
import type { ResourceKind, Stored } from '@mooring/domain';
import { armFromResource, armPathOf, specFromArm, type ArmContext } from './index.ts';

const workspace = { subscription: 's', resourceGroup: 'rg', workspace: 'ws' };
const base = '/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws';
const context: ArmContext = { workspace, location: 'local', gatewayUrl: 'http://127.0.0.1:8080' };

const bodies = {
  'online-endpoint': {
    location: 'local',
    tags: { team: 'eyes' },
    identity: { type: 'SystemAssigned' },
    properties: {
      description: 'd',
      authMode: 'Key',
      properties: {},
      traffic: { Luca: 100, old: 0 },
      mirrorTraffic: {},
    },
  },
  'online-deployment': {
    location: 'local',
    tags: {},
    sku: { name: 'Default', capacity: 2 },
    properties: {
      endpointComputeType: 'Managed',
      codeConfiguration: { codeId: `${base}/codes/c-1/versions/1`, scoringScript: 'score.py' },
      environmentId: `${base}/environments/py/versions/3`,
      model: `${base}/models/fern/versions/1`,
      environmentVariables: { A: 'b' },
      appInsightsEnabled: false,
      instanceType: 'Standard_DS3_v2',
      requestSettings: { maxQueueWait: 'PT0.5S', maxConcurrentRequestsPerInstance: 2, requestTimeout: 'PT3S' },
      livenessProbe: {
        initialDelay: 'PT1S',
        period: 'PT5S',
        timeout: 'PT2S',
        successThreshold: 1,
        failureThreshold: 10,
      },
      properties: { 'mooring.batch.max-rows': '8' },
    },
  },
  'batch-endpoint': {
    location: 'local',
    tags: {},
    properties: {
      description: 'd',
      authMode: 'aadToken',
      properties: {},
      defaults: { deploymentName: 'Luca' },
    },
  },
  'batch-deployment': {
    location: 'local',
    tags: { a: 'b' },
    properties: {
      model: { referenceType: 'Id', assetId: `${base}/models/fern/versions/1` },
      environmentId: `${base}/environments/py/versions/3`,
      codeConfiguration: { codeId: `${base}/codes/c-1/versions/1`, scoringScript: 'batch.py' },
      compute: `${base}/computes/batch-pool`,
      resources: { instanceCount: 2, properties: {} },
      miniBatchSize: 5,
      maxConcurrencyPerInstance: 3,
      outputAction: 'AppendRow',
      outputFileName: 'rows.csv',
      errorThreshold: 7,
      retrySettings: { maxRetries: 2, timeout: 'PT30S' },
      loggingLevel: 'info',
      environmentVariables: { A: 'b' },
    },
  },
  model: {
    properties: {
      modelType: 'custom_model',
      modelUri:
        'azureml://subscriptions/s/resourcegroups/rg/workspaces/ws/datastores/workspaceblobstore/paths/LocalUpload/ab12/fern',
      isAnonymous: false,
      isArchived: false,
      tags: { a: 'b' },
      properties: {},
    },
  },
  environment: {
    properties: { image: 'python:3.11', condaFile: 'name: x\n', isAnonymous: true, isArchived: false },
  },
  code: {
    properties: {
      codeUri: 'http://127.0.0.1:8082/blob/codes/u-1/LocalUpload/ab%20c/code',
      isAnonymous: true,
      properties: { hash_sha256: 'ff', hash_version: '202208' },
    },
  },
  data: {
    properties: {
      dataType: 'uri_folder',
      dataUri: 'azureml://datastores/workspaceblobstore/paths/LocalUpload/ab12/photos',
      isAnonymous: false,
      isArchived: false,
    },
  },
  component: {
    properties: {
      componentSpec: { type: 'command', command: 'tidy ${{inputs.data}}' },
      isAnonymous: true,
      isArchived: false,
    },
  },
} as const satisfies Record<ResourceKind, unknown>;

const keys: Record<ResourceKind, string> = {
  'online-endpoint': 'cars',
  'online-deployment': 'cars/luca',
  'batch-endpoint': 'night',
  'batch-deployment': 'night/luca',
  model: 'fern/1',
  environment: 'py/3',
  code: 'c-1/1',
  data: 'photos/1',
  component: 'tidy/1',
};

function stored<K extends ResourceKind>(kind: K, spec: unknown): Stored<K> {
  const at = '2026-11-24T05:00:00.000Z';
  return {
    kind,
    key: keys[kind],
    spec,
    state: 'Succeeded',
    generation: 1,
    operation: { id: 'op', verb: 'create', status: 'Succeeded', startedAt: at },
    system: { createdAt: at, createdBy: 'admin', lastModifiedAt: at, lastModifiedBy: 'admin' },
    etag: '7',
  } as unknown as Stored<K>;
}

const kinds = Object.keys(bodies) as ResourceKind[];

describe('specFromArm', () => {
  it.each(kinds)('takes the body that the SDK sends for a %s', (kind) => {
    expect(specFromArm(kind, bodies[kind]).problems).toEqual([]);
  });

  it.each(kinds)('reads back what was printed of a %s as the same spec', (kind) => {
    const { spec } = specFromArm(kind, bodies[kind]);
    const printed = JSON.parse(JSON.stringify(armFromResource(stored(kind, spec), context))) as unknown;
    expect(specFromArm(kind, printed)).toEqual({ spec, problems: [] });
  });

  it('fills in the defaults that Azure applies on the server', () => {
    const { spec, problems } = specFromArm('online-deployment', { properties: { instanceType: 'x' } });
    expect(problems).toEqual([]);
    expect(spec).toMatchObject({
      instanceCount: 1,
      requestSettings: { requestTimeoutMs: 5000, maxConcurrentRequestsPerInstance: 1, maxQueueWaitMs: 500 },
      livenessProbe: { initialDelayS: 10, periodS: 10, timeoutS: 2, successThreshold: 1, failureThreshold: 30 },
      appInsightsEnabled: false,
    });
  });

  it('reads references as keys and durations as numbers', () => {
    const { spec } = specFromArm('online-deployment', bodies['online-deployment']);
    expect(spec).toMatchObject({
      model: 'fern/1',
      environment: 'py/3',
      code: { codeKey: 'c-1/1', scoringScript: 'score.py' },
      instanceCount: 2,
      requestSettings: { requestTimeoutMs: 3000, maxQueueWaitMs: 500 },
    });
  });

  it.each(['azureml:fern@latest', `${base}/models/fern/labels/latest`])('leaves %s to be resolved', (model) => {
    const { spec, problems } = specFromArm('online-deployment', { properties: { instanceType: 'x', model } });
    expect(problems).toEqual([]);
    expect(spec.model).toBe('fern@latest');
  });

  it('writes traffic with lower-case names and without zeros', () => {
    expect(specFromArm('online-endpoint', bodies['online-endpoint']).spec.traffic).toEqual({ luca: 100 });
  });

  it.each([
    { uri: 'azureml://datastores/workspaceblobstore/paths/a/b', want: 'workspaceblobstore/a/b' },
    { uri: 'https://h:1/blob/acct.blob.suffix/codes/u/x', want: 'codes/u/x' },
    { uri: 'http://h:1/blob/codes/u/x/', want: 'codes/u/x' },
  ])('finds the upload behind $uri', ({ uri, want }) => {
    expect(specFromArm('code', { properties: { codeUri: uri } })).toMatchObject({ spec: { path: want }, problems: [] });
  });

  it.each([
    'azureml://datastores/x/paths/../../etc/passwd',
    'http://h/blob/codes/%2e%2e/%2e%2e/etc',
    'http://h/blob/codes/..%2f..%2fetc',
    'azureml://datastores/x/paths/a//b',
    'azureml://datastores/../paths/a',
    'azureml://datastores/x/paths/a%00'.replace('%00', '\0'),
    'http://h/blob/%zz',
    'file:///etc/passwd',
    '/etc/passwd',
    '',
  ])('refuses %j as the place of an upload', (codeUri) => {
    const { problems } = specFromArm('code', { properties: { codeUri } });
    expect(problems.map(({ path }) => path)).toContain('properties.codeUri');
  });
});

describe('problems of a body', () => {
  const paths = (kind: ResourceKind, body: unknown): string[] => specFromArm(kind, body).problems.map((p) => p.path);

  it('tells all of them at once, by their ARM paths', () => {
    expect(
      paths('online-deployment', {
        sku: { capacity: '2' },
        properties: {
          appInsightsEnabled: 'False',
          model: 'fern',
          requestSettings: { requestTimeout: 5000, maxConcurrentRequestsPerInstance: 0 },
          instanceTyp: 'x',
          properties: { 'mooring.batch.max-rows': 'many' },
          environmentVariables: { N: 1 },
        },
      }).toSorted(),
    ).toEqual([
      'properties.appInsightsEnabled',
      'properties.environmentVariables.N',
      'properties.instanceTyp',
      'properties.instanceType',
      'properties.model',
      'properties.properties.mooring.batch.max-rows',
      'properties.requestSettings.maxConcurrentRequestsPerInstance',
      'properties.requestSettings.requestTimeout',
      'sku.capacity',
    ]);
  });

  it.each([
    { kind: 'online-endpoint', body: { properties: { authMode: 'AADToken' } } },
    { kind: 'online-endpoint', body: { identity: { type: 'UserAssigned' }, properties: {} } },
    { kind: 'online-endpoint', body: { properties: { compute: 'x' } } },
    { kind: 'online-deployment', body: { properties: { instanceType: 'x', endpointComputeType: 'Kubernetes' } } },
    { kind: 'model', body: { properties: { modelUri: 'azureml://registries/r/models/m/versions/1' } } },
    { kind: 'environment', body: { properties: { image: 'x', inferenceConfig: {} } } },
  ] as const)('names the capability that $kind $body waits for', ({ kind, body }) => {
    const { problems } = specFromArm(kind, body);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ later: true, problem: expect.stringContaining('asks for') as string });
  });

  it.each([null, [], 'x', 1, true, {}, { properties: null }, { properties: [] }])(
    'refuses %j for every kind',
    (body) => {
      for (const kind of kinds) expect(paths(kind, body).length).toBeGreaterThan(0);
    },
  );

  it('is not misled by the names of prototypes', () => {
    const body = JSON.parse(
      '{"properties":{"tags":{"__proto__":"x","constructor":"y"},"modelUri":"azureml://datastores/a/paths/b"}}',
    ) as unknown;
    const { spec, problems } = specFromArm('model', body);
    expect(problems).toEqual([]);
    expect(Object.keys(spec.tags)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(spec.tags)).toBe(Object.prototype);
  });

  it.each([
    ['requestSettings.requestTimeoutMs', 'properties.requestSettings.requestTimeout'],
    ['request_settings.request_timeout_ms', 'properties.requestSettings.requestTimeout'],
    ['mirror_traffic.my_name', 'properties.mirrorTraffic.my_name'],
    ['instanceCount', 'sku.capacity'],
    ['environment', 'properties.environmentId'],
    ['code.scoringScript', 'properties.codeConfiguration.scoringScript'],
    ['properties.mooring.batch.max-rows', 'properties.properties.mooring.batch.max-rows'],
    ['tags.a_b', 'tags.a_b'],
  ])('puts %s at %s', (path, want) => {
    expect(armPathOf('online-deployment', path)).toBe(want);
  });
});

describe('armFromResource', () => {
  it('holds what the SDK fails without', () => {
    const printed = (kind: ResourceKind): Record<string, never> =>
      armFromResource(stored(kind, specFromArm(kind, bodies[kind]).spec), context) as never;
    expect(printed('online-endpoint')).toMatchObject({
      id: `${base}/onlineEndpoints/cars`,
      location: 'local',
      etag: '7',
      systemData: { createdAt: expect.any(String) as string, lastModifiedAt: expect.any(String) as string },
      properties: {
        properties: {},
        scoringUri: 'http://127.0.0.1:8080/endpoints/cars/score',
        swaggerUri: 'http://127.0.0.1:8080/endpoints/cars/swagger.json',
        provisioningState: 'Succeeded',
      },
    });
    expect(printed('online-deployment')).toMatchObject({
      id: `${base}/onlineEndpoints/cars/deployments/luca`,
      name: 'luca',
      sku: { capacity: 2 },
      properties: { scaleSettings: { scaleType: 'Default' }, endpointComputeType: 'Managed', properties: {} },
    });
    expect(printed('model')).toMatchObject({
      id: `${base}/models/fern/versions/1`,
      properties: { flavors: {}, properties: {}, tags: { a: 'b' } },
    });
  });
});
