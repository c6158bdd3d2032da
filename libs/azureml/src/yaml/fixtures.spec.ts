import { basename } from 'node:path';
import { fixture } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { loadYaml, type YamlKind } from './index.ts';
import { linesOf, refusal } from './testing/refusal.ts';

/** Azure ML files as people have them, one of each kind. */
const file = (name: string): string => fixture(`azureml-yaml/${name}`);
const image = 'mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest';

describe('files of online endpoints and their assets', () => {
  it('reads an endpoint with a key', async () => {
    expect(await loadYaml(file('01-online-endpoint-key.yml'), { kind: 'online-endpoint' })).toEqual({
      kind: 'online-endpoint',
      name: 'fern-scoring',
      body: {
        location: 'local',
        tags: { team: 'shapes' },
        identity: { type: 'SystemAssigned' },
        properties: { authMode: 'Key', properties: {} },
      },
    });
  });

  it('reads a deployment with everything in place, paths from the file’s own folder', async () => {
    const draft = await loadYaml(file('03-online-deployment-inline.yml'), { kind: 'online-deployment' });
    expect(draft).toEqual({
      kind: 'online-deployment',
      name: 'blue',
      endpointName: 'fern-scoring',
      body: {
        location: 'local',
        tags: {},
        sku: { name: 'Default', capacity: 1 },
        properties: {
          endpointComputeType: 'Managed',
          properties: {},
          environmentVariables: {},
          appInsightsEnabled: false,
          instanceType: 'Standard_DS3_v2',
        },
      },
      model: {
        inline: {
          kind: 'model',
          files: { path: file('artifacts/fern'), name: 'fern' },
          body: { properties: { modelType: 'custom_model', isAnonymous: true, tags: {}, properties: {} } },
        },
      },
      environment: {
        inline: {
          kind: 'environment',
          body: {
            properties: {
              image,
              condaFile: 'channels:\n  - conda-forge\ndependencies:\n  - python=3.10\nname: e\n',
              isAnonymous: true,
              tags: {},
              properties: {},
            },
          },
        },
      },
      code: { source: { files: { path: file('serving'), name: 'serving' } }, scoringScript: 'handler.py' },
    });
  });

  it('reads a deployment of registered assets with every tunable, durations as REST has them', async () => {
    const probe = {
      initialDelay: 'PT15S',
      period: 'PT10S',
      timeout: 'PT2S',
      successThreshold: 1,
      failureThreshold: 30,
    };
    const collection = { dataCollectionMode: 'Enabled', samplingRate: 0.5 };
    const draft = await loadYaml(file('04-online-deployment-registered-full.yml'), { kind: 'online-deployment' });
    expect(draft).toEqual({
      kind: 'online-deployment',
      name: 'green',
      endpointName: 'fern-scoring',
      model: { reference: { form: 'latest', type: 'models', name: 'fern-model' } },
      environment: { reference: { form: 'version', type: 'environments', name: 'fern-env', version: '3' } },
      code: { source: { files: { path: file('serving'), name: 'serving' } }, scoringScript: 'app/handler.py' },
      body: {
        location: 'local',
        tags: {},
        sku: { name: 'Default', capacity: 2 },
        properties: {
          endpointComputeType: 'Managed',
          properties: {},
          environmentVariables: { WORKER_COUNT: '2', AZUREML_LOG_LEVEL: 'DEBUG' },
          appInsightsEnabled: true,
          instanceType: 'Standard_DS3_v2',
          egressPublicNetworkAccess: 'Enabled',
          scaleSettings: { scaleType: 'Default' },
          requestSettings: {
            requestTimeout: 'PT9S',
            maxConcurrentRequestsPerInstance: 4,
            maxQueueWait: 'PT0.5S',
          },
          livenessProbe: probe,
          readinessProbe: probe,
          dataCollector: {
            collections: { model_inputs: collection, request: collection },
            rollingRate: 'Hour',
          },
        },
      },
    });
  });

  it('takes the model and the environment out of a file with several documents', async () => {
    const several = file('18-assets-model-env-data.yml');
    expect(await loadYaml(several, { kind: 'model' })).toEqual({
      kind: 'model',
      name: 'fern-model',
      version: '1',
      files: { path: file('artifacts/fern'), name: 'fern' },
      body: { properties: { modelType: 'custom_model', isAnonymous: false, tags: {}, properties: {} } },
    });
    expect(await loadYaml(several, { kind: 'environment' })).toEqual({
      kind: 'environment',
      name: 'fern-env',
      version: '3',
      buildContext: { path: file('docker'), name: 'docker' },
      body: { properties: { build: { dockerfilePath: 'Dockerfile' }, isAnonymous: false, tags: {}, properties: {} } },
    });
  });
});

const kubernetes = 'Kubernetes as a compute target';

describe('files that ask for what comes later', () => {
  it.each<{ name: string; kind: YamlKind; asks: Record<string, string> }>([
    {
      name: '02-online-endpoint-uai-token.yml',
      kind: 'online-endpoint',
      asks: {
        auth_mode: 'token authentication (auth_mode aml_token)',
        'identity.type': 'identities managed by Azure',
      },
    },
    {
      name: '05-online-deployment-mlflow-nocode.yml',
      kind: 'online-deployment',
      asks: { 'model.type': 'MLflow models without a scoring script' },
    },
    {
      name: '06-online-deployment-triton-nocode.yml',
      kind: 'online-deployment',
      asks: { 'model.type': 'Triton models without a scoring script' },
    },
    {
      name: '07-online-deployment-byoc.yml',
      kind: 'online-deployment',
      asks: { 'environment.inference_config': 'containers of your own (inference_config)' },
    },
    { name: '08-kubernetes-endpoint.yml', kind: 'online-endpoint', asks: { $schema: kubernetes } },
    { name: '09-kubernetes-deployment.yml', kind: 'online-deployment', asks: { $schema: kubernetes } },
    { name: '16-serverless-endpoint.yml', kind: 'online-endpoint', asks: { model_id: 'serverless endpoints' } },
    { name: '17-marketplace-subscription.yml', kind: 'online-endpoint', asks: { model_id: 'serverless endpoints' } },
  ])('refuses $name and names the capability', async ({ name, kind, asks }) => {
    const error = await refusal(loadYaml(file(name), { kind }));
    expect(error).toMatchObject({ code: 'unimplemented', reason: 'NOT_SUPPORTED_YET' });
    expect(error.message).toContain(basename(name));
    expect(linesOf(error)).toEqual(
      Object.entries(asks).map(
        ([path, capability]) => `${path}: asks for ${capability}, which comes with a later version of Mooring`,
      ),
    );
  });

  it.each([
    ['10-batch-endpoint.yml', 'online-endpoint', 'batch-endpoint'],
    ['11-batch-deployment-model.yml', 'online-deployment', 'batch-deployment'],
    ['13-batch-deployment-legacy-flat.yml', 'online-deployment', 'batch-deployment'],
    ['14-batch-deployment-pipeline.yml', 'online-deployment', 'batch-deployment'],
    ['03-online-deployment-inline.yml', 'batch-deployment', 'online-deployment'],
    ['01-online-endpoint-key.yml', 'data', 'online-endpoint'],
  ] as const)('says of %s, given as %s, that it is of kind %s', async (name, kind, other) => {
    const error = await refusal(loadYaml(file(name), { kind }));
    expect(linesOf(error)[0]).toBe(
      `$schema: says that this is of kind ${other}, not ${kind} (expected mooring ${other} create -f <this file>)`,
    );
  });

  it('refuses the inputs of a batch job, which are no resource', async () => {
    const error = await refusal(loadYaml(file('15-batch-invoke-inputs.yml'), { kind: 'online-deployment' }));
    expect(linesOf(error)[0]).toMatch(/^inputs: is not a field \(expected one of: name, /);
  });

  it('says which kind a file is when it is given for another', async () => {
    const error = await refusal(loadYaml(file('03-online-deployment-inline.yml'), { kind: 'online-endpoint' }));
    expect(linesOf(error)[0]).toBe(
      '$schema: says that this is of kind online-deployment, not online-endpoint' +
        ' (expected mooring online-deployment create -f <this file>)',
    );
  });

  it('refuses a file with several documents of which none is of the kind', async () => {
    const error = await refusal(loadYaml(file('18-assets-model-env-data.yml'), { kind: 'online-endpoint' }));
    expect(error.reason).toBe('SEVERAL_DOCUMENTS');
    expect(linesOf(error)).toEqual([
      '(file): none of its documents (model, environment, data) says by its $schema that it is the online-endpoint' +
        ' (expected one file for each resource, or exactly one document with a $schema that ends in' +
        ' managedOnlineEndpoint.schema.json)',
    ]);
  });
});
