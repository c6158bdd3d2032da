import { describe, expect, it } from 'vitest';
import { batchJobDefaults, type BatchDeploymentSpec, type Stored } from '@mooring/domain';
import { armFromResource, armPathOf, specFromArm, type ArmContext } from './index.ts';

const workspace = { subscription: 's', resourceGroup: 'rg', workspace: 'ws' };
const base = '/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws';
const context: ArmContext = { workspace, location: 'local', gatewayUrl: 'http://127.0.0.1:8080' };

const model = { referenceType: 'Id', assetId: `${base}/models/fern/versions/1` };
const least = { model, compute: `${base}/computes/pool` };
const deployment = (properties: object) => specFromArm('batch-deployment', { properties: { ...least, ...properties } });
const endpoint = (properties: object) => specFromArm('batch-endpoint', { properties });
const pathsOf = ({ problems }: { problems: readonly { path: string }[] }): string[] => problems.map(({ path }) => path);

function stored<K extends 'batch-endpoint' | 'batch-deployment'>(kind: K, key: string, spec: unknown): Stored<K> {
  const at = '2026-11-24T05:00:00.000Z';
  const operation = { id: 'op', verb: 'create', status: 'Succeeded', startedAt: at };
  const system = { createdAt: at, createdBy: 'admin', lastModifiedAt: at, lastModifiedBy: 'admin' };
  return { kind, key, spec, state: 'Succeeded', generation: 1, operation, system, etag: '7' } as unknown as Stored<K>;
}

describe('a batch endpoint in REST', () => {
  it.each(['aadToken', 'AADToken', 'aadtoken', 'aad_token'])('takes authMode %s', (authMode) => {
    expect(endpoint({ authMode })).toEqual({ spec: { tags: {}, properties: {}, authMode: 'aad_token' }, problems: [] });
  });

  it('has no default deployment until one is named', () => {
    expect(endpoint({}).spec.defaultDeployment).toBeUndefined();
    expect(endpoint({ defaults: {} }).spec.defaultDeployment).toBeUndefined();
    expect(endpoint({ defaults: { deploymentName: null } }).spec.defaultDeployment).toBeUndefined();
    expect(endpoint({ defaults: { deploymentName: 'Luca' } }).spec.defaultDeployment).toBe('luca');
  });

  it('tells where its jobs are posted to', () => {
    const spec = { tags: {}, properties: {}, authMode: 'aad_token', defaultDeployment: 'luca' };
    expect(armFromResource(stored('batch-endpoint', 'Night', spec), context)).toMatchObject({
      id: `${base}/batchEndpoints/Night`,
      name: 'Night',
      type: 'Microsoft.MachineLearningServices/workspaces/batchEndpoints',
      location: 'local',
      properties: {
        authMode: 'AADToken',
        defaults: { deploymentName: 'luca' },
        scoringUri: 'http://127.0.0.1:8080/endpoints/Night/jobs',
        provisioningState: 'Succeeded',
      },
    });
  });

  it.each([
    [{ authMode: 'Key' }, 'properties.authMode'],
    [{ authMode: 1 }, 'properties.authMode'],
    [{ defaults: 'luca' }, 'properties.defaults'],
    [{ defaults: { deploymentName: 'l' } }, 'properties.defaults.deploymentName'],
    [{ defaults: { deployment_name: 'luca' } }, 'properties.defaults.deployment_name'],
    [{ traffic: { luca: 100 } }, 'properties.traffic'],
    [{ keys: { primaryKey: 'mine' } }, 'properties.keys'],
    [{ description: 5 }, 'properties.description'],
    [{ properties: [] }, 'properties.properties'],
  ])('refuses %j', (properties, path) => expect(pathsOf(endpoint(properties))).toEqual([path]));
});

describe('a batch deployment in REST', () => {
  it('fills in the defaults that Azure applies on the server', () => {
    expect(deployment({})).toEqual({
      spec: {
        tags: {},
        properties: {},
        type: 'model',
        model: 'fern/1',
        environmentVariables: {},
        compute: 'pool',
        job: batchJobDefaults,
      },
      problems: [],
    });
  });

  it.each(['info', 'Info', 'INFO', 'Debug', 'warning'])(
    'takes the logging level %s as it is written',
    (loggingLevel) => {
      const { spec, problems } = deployment({ loggingLevel });
      expect([problems, (spec as { job: { loggingLevel: string } }).job.loggingLevel]).toEqual([
        [],
        loggingLevel.toLowerCase(),
      ]);
    },
  );

  it('reads durations, computes by any name, and versions by label', () => {
    const { spec, problems } = deployment({
      retrySettings: { maxRetries: 0, timeout: 'PT5M' },
      compute: 'azureml:cpu-cluster',
      model: { referenceType: 'Id', assetId: `${base}/models/fern/labels/latest` },
      environmentId: 'azureml:py@latest',
    });
    expect(problems).toEqual([]);
    expect(spec).toMatchObject({
      compute: 'cpu-cluster',
      model: 'fern@latest',
      environment: 'py@latest',
      job: { retrySettings: { maxRetries: 0, timeoutS: 300 } },
    });
  });

  it('shows no name of a file that is not written', () => {
    const { spec } = deployment({ outputAction: 'SummaryOnly', outputFileName: 'mine.csv' });
    const { properties } = armFromResource(stored('batch-deployment', 'night/luca', spec), context);
    expect(properties).toMatchObject({ outputAction: 'SummaryOnly' });
    expect(properties).not.toHaveProperty('outputFileName');
    expect(specFromArm('batch-deployment', { properties })).toEqual({ spec, problems: [] });
  });

  it('reads a pipeline deployment as the SDK sends it, with what it sends of every deployment', () => {
    const { spec, problems } = specFromArm('batch-deployment', {
      properties: {
        deploymentConfiguration: {
          deploymentConfigurationType: 'PipelineComponent',
          componentId: { referenceType: 'Id', assetId: `${base}/components/tidy/versions/1` },
          settings: { default_compute: 'pool', continue_on_step_failure: 'True', ForceRerun: 'false' },
          tags: {},
        },
        errorThreshold: -1,
        maxConcurrencyPerInstance: 1,
        miniBatchSize: 10,
        outputFileName: 'predictions.csv',
      },
    });
    expect(problems).toEqual([]);
    expect(spec).toEqual({
      tags: {},
      properties: {},
      type: 'pipeline',
      component: 'tidy/1',
      settings: { defaultCompute: 'pool', continueOnStepFailure: true, forceRerun: false },
    });
  });

  it.each([
    [{}, 'properties.deploymentConfiguration.componentId'],
    [{ componentId: 'tidy/1' }, 'properties.deploymentConfiguration.componentId'],
    [{ settings: { continue_on_step_failure: 'maybe' } }, 'properties.deploymentConfiguration.componentId'],
  ])('refuses a pipeline deployment of %j', (configuration, path) => {
    const deploymentConfiguration = { deploymentConfigurationType: 'PipelineComponent', ...configuration };
    expect(pathsOf(specFromArm('batch-deployment', { properties: { deploymentConfiguration } }))).toContain(path);
  });

  it('shows a pipeline deployment as Azure does', () => {
    const spec: BatchDeploymentSpec = {
      tags: {},
      properties: {},
      type: 'pipeline',
      component: 'tidy/1',
      settings: { continueOnStepFailure: false, forceRerun: false },
    };
    expect(armFromResource(stored('batch-deployment', 'night/pipe', spec), context)['properties']).toMatchObject({
      deploymentConfiguration: {
        deploymentConfigurationType: 'PipelineComponent',
        componentId: { referenceType: 'Id', assetId: `${base}/components/tidy/versions/1` },
        settings: { continue_on_step_failure: 'false', force_rerun: 'false' },
      },
    });
  });

  it.each([
    [{ model: undefined }, ['properties.model']],
    [{ compute: null }, ['properties.compute']],
    [{ compute: '' }, ['properties.compute']],
    [{ compute: 'azureml://x' }, ['properties.compute']],
    [{ compute: 'a/b' }, ['properties.compute']],
    [{ model: 'azureml:fern:1' }, ['properties.model']],
    [{ model: { referenceType: 'Id' } }, ['properties.model.assetId']],
    [{ model: { referenceType: 'Id', assetId: `${base}/codes/c/versions/1` } }, ['properties.model.assetId']],
    [{ model: { referenceType: 'Name', assetId: 'azureml:fern:1' } }, ['properties.model.referenceType']],
    [
      { model: { referenceType: 'DataPath', path: 'x' } },
      ['properties.model.path', 'properties.model.referenceType', 'properties.model.assetId'],
    ],
    [{ codeConfiguration: { scoringScript: 'a.py' } }, ['properties.codeConfiguration.codeId']],
    [{ codeConfiguration: { codeId: 'azureml:c:1' } }, ['properties.codeConfiguration.scoringScript']],
    [{ miniBatchSize: 0 }, ['properties.miniBatchSize']],
    [{ miniBatchSize: '10' }, ['properties.miniBatchSize']],
    [{ miniBatchSize: 1.5 }, ['properties.miniBatchSize']],
    [{ maxConcurrencyPerInstance: 65 }, ['properties.maxConcurrencyPerInstance']],
    [{ errorThreshold: -2 }, ['properties.errorThreshold']],
    [{ errorThreshold: 2 ** 31 }, ['properties.errorThreshold']],
    [{ loggingLevel: 'trace' }, ['properties.loggingLevel']],
    [{ outputAction: 'Append' }, ['properties.outputAction']],
    [{ outputFileName: '../x.csv' }, ['properties.outputFileName']],
    [{ outputFileName: 'a/b.csv' }, ['properties.outputFileName']],
    [{ outputFileName: '..' }, ['properties.outputFileName']],
    [{ outputFileName: 'a\0b' }, ['properties.outputFileName']],
    [{ outputFileName: 'x'.repeat(256) }, ['properties.outputFileName']],
    [{ retrySettings: { timeout: 30 } }, ['properties.retrySettings.timeout']],
    [{ retrySettings: { timeout: 'PT0S' } }, ['properties.retrySettings.timeout']],
    [{ retrySettings: { timeout: 'P2D' } }, ['properties.retrySettings.timeout']],
    [{ retrySettings: { maxRetries: -1 } }, ['properties.retrySettings.maxRetries']],
    [{ retrySettings: { retries: 1 } }, ['properties.retrySettings.retries']],
    [{ resources: { instanceCount: 0 } }, ['properties.resources.instanceCount']],
    [{ resources: { instanceType: 'Standard_DS3_v2' } }, ['properties.resources.instanceType']],
    [{ resources: 2 }, ['properties.resources']],
    [{ environmentVariables: { A: 1 } }, ['properties.environmentVariables.A']],
    [{ instanceType: 'x' }, ['properties.instanceType']],
    [
      { properties: { 'mooring.batch.rows-per-mini-batch': '0' } },
      ['properties.properties.mooring.batch.rows-per-mini-batch'],
    ],
    [{ deploymentConfiguration: {} }, ['properties.deploymentConfiguration.deploymentConfigurationType']],
  ])('refuses %j', (properties, paths) => expect(pathsOf(deployment(properties)).toSorted()).toEqual(paths.toSorted()));

  it.each([
    ['job.miniBatchSize', 'properties.miniBatchSize'],
    ['job.instanceCount', 'properties.resources.instanceCount'],
    ['job.retrySettings.timeoutS', 'properties.retrySettings.timeout'],
    ['job.retrySettings.maxRetries', 'properties.retrySettings.maxRetries'],
    ['code.codeKey', 'properties.codeConfiguration.codeId'],
    ['model', 'properties.model.assetId'],
    ['environmentVariables.A_b', 'properties.environmentVariables.A_b'],
    ['properties.mooring.cpu', 'properties.properties.mooring.cpu'],
  ])('finds the place of %s in a body', (path, place) => expect(armPathOf('batch-deployment', path)).toBe(place));

  it('finds the place of what is in a component', () => {
    const path = 'component.jobs.a_b.inputs.mini_batch';
    expect(armPathOf('component', path)).toBe('properties.componentSpec.jobs.a_b.inputs.mini_batch');
  });
});

describe('data assets in REST', () => {
  const data = (properties: object) =>
    specFromArm('data', {
      properties: { dataUri: 'azureml://datastores/workspaceblobstore/paths/in/photos/', ...properties },
    });

  it('reads where the files are, a folder unless it says otherwise', () => {
    expect(data({})).toMatchObject({
      spec: { type: 'uri_folder', path: 'workspaceblobstore/in/photos' },
      problems: [],
    });
    expect(data({ dataType: 'uri_file' }).spec.type).toBe('uri_file');
  });

  it.each([
    [{ dataUri: undefined }, 'properties.dataUri'],
    [{ dataUri: 'azureml://datastores/workspaceblobstore/paths/../x' }, 'properties.dataUri'],
    [{ dataUri: '/etc/passwd' }, 'properties.dataUri'],
    [{ dataUri: 'https://example.com/rows.csv' }, 'properties.dataUri'],
    [{ dataType: 'folder' }, 'properties.dataType'],
    [{ isArchived: 'yes' }, 'properties.isArchived'],
    [{ path: 'x' }, 'properties.path'],
  ])('refuses %j', (properties, path) => expect(pathsOf(data(properties))).toEqual([path]));
});
