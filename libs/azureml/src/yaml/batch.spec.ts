import { fixture } from '@mooring/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { loadValue, loadYaml, yamlShapeOf, type YamlKind } from './index.ts';
import { fileOf, ruleFolder, type Fields } from './testing/rule-files.ts';
import { linesOf, refusal } from './testing/refusal.ts';

const file = (name: string): string => fixture(`azureml-yaml/${name}`);
const folder = ruleFolder(fixture('azureml-yaml'));
afterAll(() => folder.remove());

const written = {
  miniBatchSize: 10,
  maxConcurrencyPerInstance: 2,
  outputAction: 'AppendRow',
  outputFileName: 'predictions.csv',
  errorThreshold: -1,
  loggingLevel: 'info',
  retrySettings: { maxRetries: 3, timeout: 'PT300S' },
};
const image = 'mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest';

describe('files of batch endpoints, their deployments and data', () => {
  it('reads an endpoint', async () => {
    expect(await loadYaml(file('10-batch-endpoint.yml'), { kind: 'batch-endpoint' })).toEqual({
      kind: 'batch-endpoint',
      name: 'kelp-batch',
      body: {
        location: 'local',
        tags: { kind: 'tabular' },
        properties: { description: 'nightly scoring', authMode: 'aadToken', properties: {} },
      },
    });
  });

  it('reads a deployment with its settings apart', async () => {
    const draft = await loadYaml(file('11-batch-deployment-model.yml'), { kind: 'batch-deployment' });
    expect(draft).toMatchObject({
      name: 'kelp-torch',
      endpointName: 'kelp-batch',
      model: { reference: { form: 'latest', type: 'models', name: 'kelp-net' } },
      environment: { inline: { kind: 'environment', name: 'kelp-env', body: { properties: { image } } } },
      code: { source: { files: { path: file('batchcode'), name: 'batchcode' } }, scoringScript: 'driver.py' },
    });
    expect(draft.body).toEqual({
      location: 'local',
      tags: {},
      properties: {
        ...written,
        properties: {},
        environmentVariables: {},
        compute: 'batch-pool',
        resources: { instanceCount: 2, properties: {} },
      },
    });
  });

  it('reads a deployment whose script writes its own files', async () => {
    const draft = await loadYaml(file('12-batch-deployment-custom-output.yml'), { kind: 'batch-deployment' });
    const { outputFileName: _none, ...without } = written;
    expect(draft.body.properties).toMatchObject({ ...without, outputAction: 'SummaryOnly', miniBatchSize: 2 });
    expect(draft.body.properties).not.toHaveProperty('outputFileName');
    expect(draft.code).toMatchObject({ scoringScript: 'writer.py' });
  });

  it('reads a deployment in the older form, settings at the root', async () => {
    const draft = await loadYaml(file('13-batch-deployment-legacy-flat.yml'), { kind: 'batch-deployment' });
    expect(draft.model).toEqual({ reference: { form: 'version', type: 'models', name: 'kelp-mlflow', version: '1' } });
    expect(draft.body.properties).toMatchObject({ ...written, miniBatchSize: 2, resources: { instanceCount: 2 } });
  });

  it('reads data out of a file with several documents', async () => {
    expect(await loadYaml(file('18-assets-model-env-data.yml'), { kind: 'data' })).toEqual({
      kind: 'data',
      name: 'kelp-inputs',
      version: '1',
      files: { path: file('data/unlabelled'), name: 'unlabelled' },
      body: { properties: { dataType: 'uri_folder', isAnonymous: false, tags: {}, properties: {} } },
    });
  });

  it.each([
    ['the count of nodes among the settings', 'settings: {instance_count: 3}', { resources: { instanceCount: 3 } }],
    ['variables among the settings', 'settings: {environment_variables: {A: 1}}', { environmentVariables: { A: '1' } }],
    ['the same at both places', 'mini_batch_size: 4\nsettings: {mini_batch_size: 4}', { miniBatchSize: 4 }],
    ['numbers in quotes', 'mini_batch_size: "4"', { miniBatchSize: 4 }],
    ['words in capitals', 'logging_level: INFO\noutput_action: APPEND_ROW', { loggingLevel: 'info' }],
    [
      'a compute by its id',
      'compute: azureml:/subscriptions/s/resourceGroups/r/providers/p/workspaces/w/computes/x1',
      { compute: 'x1' },
    ],
    ['this machine', 'compute: local', { compute: 'local' }],
  ])('takes %s', async (_title, more, properties) => {
    const compute = more.startsWith('compute') ? undefined : 'azureml:pool';
    const draft = await folder.load('batch-deployment', `${fileOf('batch-deployment', { compute })}\n${more}`);
    expect(draft.body.properties).toMatchObject(properties);
  });

  it.each([
    'azureml://datastores/workspaceblobstore/paths/in/photos/',
    'azureml://subscriptions/s/resourcegroups/r/workspaces/w/datastores/workspaceblobstore/paths/in/photos',
  ])('takes data that is on the platform already, at %s', async (path) => {
    const draft = await folder.load('data', fileOf('data', { path }));
    expect(draft.files).toBeUndefined();
    expect(draft.body.properties).toMatchObject({ dataUri: path, dataType: 'uri_folder' });
  });

  it('takes a single file of data when it is said to be one', async () => {
    const draft = await folder.load('data', fileOf('data', { path: 'data/unlabelled/flowers.csv', type: 'uri_file' }));
    expect(draft).toMatchObject({ files: { name: 'flowers.csv' }, body: { properties: { dataType: 'uri_file' } } });
  });
});

const later = (path: string, capability: string): string =>
  `${path}: asks for ${capability}, which comes with a later version of Mooring`;
const nodes = 'nodes of a chosen kind';

const refused: { kind: YamlKind; fields: Fields; says: string[] }[] = [
  {
    kind: 'batch-endpoint',
    fields: { name: 'n1' },
    says: [
      "name: 'n1' is not allowed (expected 3 to 32 letters, digits and dashes, beginning with a letter and not ending with a dash)",
    ],
  },
  {
    kind: 'batch-endpoint',
    fields: { auth_mode: 'key' },
    says: ["auth_mode: 'key' is not allowed (expected one of: aad_token)"],
  },
  {
    kind: 'batch-endpoint',
    fields: { defaults: 'luca' },
    says: ["defaults: 'luca' is not allowed (expected a mapping with: deployment_name)"],
  },
  {
    kind: 'batch-endpoint',
    fields: { defaults: '{deployment: luca}' },
    says: ['defaults.deployment: is not a field (expected one of: deployment_name)'],
  },
  {
    kind: 'batch-endpoint',
    fields: { traffic: '{luca: 100}' },
    says: ['traffic: is for online endpoints (expected mooring online-endpoint create -f <this file>)'],
  },
  {
    kind: 'batch-endpoint',
    fields: { identity: '{type: user_assigned}' },
    says: [later('identity.type', 'identities managed by Azure')],
  },
  {
    kind: 'batch-deployment',
    fields: { type: 'model', component: 'pipe/pipeline.yml' },
    says: ['component: is for pipeline deployments (expected type: pipeline, and nothing of a model)'],
  },
  {
    kind: 'batch-deployment',
    fields: { type: 'managed' },
    says: ["type: 'managed' is not allowed (expected one of: model, pipeline)"],
  },
  {
    kind: 'batch-deployment',
    fields: { instance_type: 'Standard_DS3_v2' },
    says: ['instance_type: is for online deployments (expected mooring online-deployment create -f <this file>)'],
  },
  {
    kind: 'batch-deployment',
    fields: { compute: undefined },
    says: ['compute: is missing (expected a value: it is required)'],
  },
  {
    kind: 'batch-deployment',
    fields: { compute: 'azureml:a b' },
    says: ["compute: 'azureml:a b' is not allowed (expected the name of a compute: azureml:<name>)"],
  },
  {
    kind: 'batch-deployment',
    fields: { compute: '{name: x}' },
    says: ['compute: a mapping is not allowed (expected the name of a compute: azureml:<name>)'],
  },
  {
    kind: 'batch-deployment',
    fields: { resources: '{instance_count: 0}' },
    says: ['resources.instance_count: 0 is not allowed (expected a whole number from 1 to 64)'],
  },
  {
    kind: 'batch-deployment',
    fields: { resources: '{instance_type: Standard_NC6}' },
    says: [later('resources.instance_type', nodes)],
  },
  { kind: 'batch-deployment', fields: { resources: '{shm_size: 2g}' }, says: [later('resources.shm_size', nodes)] },
  {
    kind: 'batch-deployment',
    fields: { mini_batch_size: '0' },
    says: ['mini_batch_size: 0 is not allowed (expected a whole number from 1 to 100000)'],
  },
  {
    kind: 'batch-deployment',
    fields: { mini_batch_size: '10kb' },
    says: ["mini_batch_size: '10kb' is not allowed (expected a whole number from 1 to 100000)"],
  },
  {
    kind: 'batch-deployment',
    fields: { settings: '{mini_batch_size: 1, max_concurrency_per_instance: 65}' },
    says: ['settings.max_concurrency_per_instance: 65 is not allowed (expected a whole number from 1 to 64)'],
  },
  {
    kind: 'batch-deployment',
    fields: { mini_batch_size: '1', settings: '{mini_batch_size: 2}' },
    says: ['settings.mini_batch_size: is also set outside of settings, to another value (expected one of the two)'],
  },
  {
    kind: 'batch-deployment',
    fields: { resources: '{instance_count: 1}', settings: '{instance_count: 2}' },
    says: ['settings.instance_count: is also set outside of settings, to another value (expected one of the two)'],
  },
  {
    kind: 'batch-deployment',
    fields: { settings: '{minibatch_size: 2}' },
    says: ["settings.minibatch_size: is not a field (did you mean 'mini_batch_size'?)"],
  },
  {
    kind: 'batch-deployment',
    fields: { output_action: 'append' },
    says: ["output_action: 'append' is not allowed (expected one of: append_row, summary_only)"],
  },
  {
    kind: 'batch-deployment',
    fields: { output_action: 'summary_only', output_file_name: 'x.csv' },
    says: [
      'output_file_name: is of a file that output_action summary_only does not write (expected append_row, or no output_file_name)',
    ],
  },
  {
    kind: 'batch-deployment',
    fields: { settings: '{output_action: summary_only, output_file_name: x.csv}' },
    says: [
      'settings.output_file_name: is of a file that output_action summary_only does not write (expected append_row, or no output_file_name)',
    ],
  },
  ...['../x.csv', 'a/b.csv', '.', '..', 'a\\\\b', '', 'Errors.jsonl'].map((name) => ({
    kind: 'batch-deployment' as const,
    fields: { output_file_name: `"${name}"` },
    says: [
      `output_file_name: '${name.replace('\\\\', '\\')}' is not allowed (expected a plain file name of at most 255 bytes, none of errors.jsonl, parts.jsonl, summary.json, manifest.json)`,
    ],
  })),
  {
    kind: 'batch-deployment',
    fields: { retry_settings: '{max_retries: -1, timeout: 0}' },
    says: [
      'retry_settings.max_retries: -1 is not allowed (expected a whole number from 0 to 100)',
      'retry_settings.timeout: 0 is not allowed (expected a whole number from 1 to 86400)',
    ],
  },
  {
    kind: 'batch-deployment',
    fields: { retry_settings: '{timeout: PT30S}' },
    says: ["retry_settings.timeout: 'PT30S' is not allowed (expected a whole number from 1 to 86400)"],
  },
  {
    kind: 'batch-deployment',
    fields: { error_threshold: '-2' },
    says: ['error_threshold: -2 is not allowed (expected a whole number from -1 to 2147483647)'],
  },
  {
    kind: 'batch-deployment',
    fields: { error_threshold: '5%' },
    says: ["error_threshold: '5%' is not allowed (expected a whole number from -1 to 2147483647)"],
  },
  {
    kind: 'batch-deployment',
    fields: { logging_level: 'trace' },
    says: ["logging_level: 'trace' is not allowed (expected one of: debug, info, warning)"],
  },
  {
    kind: 'batch-deployment',
    fields: { environment_variables: '{"A=B": 1}' },
    says: [
      "environment_variables.A=B: 'A=B' is not a name (expected the name of a variable: at most 256 characters, none of them =)",
    ],
  },
  {
    kind: 'batch-deployment',
    fields: { properties: '{mooring.batch.rows-per-mini-batch: 0}' },
    says: [
      "properties.mooring.batch.rows-per-mini-batch: '0' is not allowed (expected a whole number from 1 to 1000000)",
    ],
  },
  {
    kind: 'batch-deployment',
    fields: { model: '{path: artifacts/fern, type: mlflow_model}', code_configuration: undefined },
    says: [later('model.type', 'MLflow models without a scoring script')],
  },
  {
    kind: 'batch-deployment',
    fields: { model: undefined },
    says: ['model: is missing (expected a value: it is required)'],
  },
  {
    kind: 'data',
    fields: { path: 'data/unlabelled', type: 'uri_file' },
    says: [`path: ${folder.path}/data/unlabelled is a folder (expected a file, or type: uri_folder)`],
  },
  {
    kind: 'data',
    fields: { path: 'data/unlabelled/flowers.csv' },
    says: [
      `path: ${folder.path}/data/unlabelled/flowers.csv is a file (expected a folder: type is uri_folder (or type: uri_file))`,
    ],
  },
  {
    kind: 'data',
    fields: { path: 'https://example.com/rows.csv' },
    says: [later('path', 'files of a remote address as a source')],
  },
  {
    kind: 'data',
    fields: { path: 'azureml://jobs/j/outputs/o/paths/p' },
    says: [later('path', 'outputs of a job as a source')],
  },
  {
    kind: 'data',
    fields: { type: 'folder' },
    says: ["type: 'folder' is not allowed (expected one of: uri_folder, uri_file, mltable)"],
  },
  { kind: 'data', fields: { datastore: 'mine' }, says: [later('datastore', 'datastores of your own')] },
  { kind: 'data', fields: { name: undefined }, says: ['name: is missing (expected a value: it is required)'] },
];

describe('rules of batch files', () => {
  it.each(refused)('$kind with $fields is refused with what would be right', async ({ kind, fields, says }) => {
    expect(linesOf(await refusal(folder.load(kind, fileOf(kind, fields))))).toEqual(says);
  });

  it('refuses a table without its MLTable file', async () => {
    const error = await refusal(folder.load('data', fileOf('data', { type: 'mltable' })));
    expect(linesOf(error)[0]).toMatch(/^path: there is no file 'MLTable' in /);
  });

  it('refuses a model in place that cannot serve itself, before anything is uploaded', async () => {
    const fields = { model: '{path: artifacts/fern}', code_configuration: undefined };
    const error = await refusal(folder.load('batch-deployment', fileOf('batch-deployment', fields)));
    expect(linesOf(error)[0]).toMatch(/^code_configuration: is missing, and .* holds no ONNX model/);
  });
});

const workspace = '/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w';

describe('what is printed of batch resources', () => {
  it('reads back as the same body: an endpoint with its default', async () => {
    const draft = await folder.load('batch-endpoint', 'name: night\ndefaults: {deployment_name: luca}\n');
    const properties = { ...draft.body.properties, scoringUri: 'http://x/endpoints/night/jobs', authMode: 'AADToken' };
    const shape = yamlShapeOf('batch-endpoint', { ...draft.body, name: 'night', properties });
    expect(shape).toMatchObject({
      auth_mode: 'aad_token',
      defaults: { deployment_name: 'luca' },
      scoring_uri: 'http://x/endpoints/night/jobs',
    });
    expect(await loadValue(shape, { kind: 'batch-endpoint', what: 'it', baseDir: '/' })).toEqual(draft);
  });

  it('reads back as the same body: a deployment, its settings at the root as Azure’s client prints them', async () => {
    const draft = await loadYaml(file('11-batch-deployment-model.yml'), { kind: 'batch-deployment' });
    const id = `${workspace}/batchEndpoints/kelp-batch/deployments/kelp-torch`;
    const stored = {
      ...draft.body,
      id,
      name: draft.name,
      properties: {
        ...draft.body.properties,
        model: { referenceType: 'Id', assetId: `${workspace}/models/m/versions/1` },
        codeConfiguration: { codeId: `${workspace}/codes/c/versions/1`, scoringScript: 'driver.py' },
        compute: `${workspace}/computes/batch-pool`,
        provisioningState: 'Succeeded',
      },
    };
    const shape = yamlShapeOf('batch-deployment', stored);
    expect(shape).toMatchObject({
      endpoint_name: 'kelp-batch',
      model: `azureml:${workspace}/models/m/versions/1`,
      compute: `azureml:${workspace}/computes/batch-pool`,
      resources: { instance_count: 2 },
      mini_batch_size: 10,
      output_action: 'append_row',
      retry_settings: { max_retries: 3, timeout: 300 },
      error_threshold: -1,
      logging_level: 'info',
      provisioning_state: 'Succeeded',
    });
    const again = await loadValue(shape, { kind: 'batch-deployment', what: 'it', baseDir: '/' });
    expect(again.body).toEqual(draft.body);
  });

  it('names the component of a pipeline deployment', () => {
    const componentId = { referenceType: 'Id', assetId: `${workspace}/components/tidy/versions/1` };
    const settings = { continue_on_step_failure: 'false', default_compute: 'pool' };
    const properties = { deploymentConfiguration: { componentId, settings } };
    expect(yamlShapeOf('batch-deployment', { name: 'pipe', properties })).toMatchObject({
      type: 'pipeline',
      component: `azureml:${workspace}/components/tidy/versions/1`,
      settings: { continue_on_step_failure: false, default_compute: 'pool' },
    });
  });

  it('is of data its name, version, type and path', () => {
    const properties = { dataType: 'uri_file', dataUri: 'azureml://datastores/a/paths/b', isArchived: true };
    expect(yamlShapeOf('data', { id: `${workspace}/data/photos/versions/2`, name: '2', properties })).toMatchObject({
      name: 'photos',
      version: '2',
      type: 'uri_file',
      path: 'azureml://datastores/a/paths/b',
      archived: true,
    });
  });
});
