import { fixture } from '@mooring/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { loadYaml, type DraftByKind, type YamlKind } from './index.ts';
import { linesOf, refusal } from './testing/refusal.ts';
import { yamlFolder } from './testing/yaml-folder.ts';

const folder = yamlFolder(fixture('azureml-yaml'));
afterAll(() => folder.remove());

let files = 0;
const load = <K extends YamlKind>(kind: K, text: string): Promise<DraftByKind[K]> => {
  files += 1;
  return loadYaml(folder.write(`rule-${files}.yml`, text), { kind });
};

/** A good file of each kind, to which a case adds its lines. */
const good: Record<YamlKind, Record<string, string>> = {
  'online-endpoint': { name: 'fern' },
  'online-deployment': {
    name: 'blue',
    endpoint_name: 'fern',
    model: 'azureml:fern:1',
    environment: 'azureml:env:1',
    code_configuration: '{code: serving, scoring_script: handler.py}',
    instance_type: 'Standard_DS3_v2',
  },
  model: { name: 'fern', path: 'artifacts/fern' },
  environment: { name: 'fern', image: 'python:3.11' },
};

const fileOf = (kind: YamlKind, fields: Record<string, string | undefined>): string =>
  Object.entries({ ...good[kind], ...fields })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n');

type Case = { kind: YamlKind; fields: Record<string, string | undefined> };

const accepted: (Case & { as: object })[] = [
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
    expect(await load(kind, fileOf(kind, fields))).toMatchObject(as);
  });

  it('may use anchors, aliases and merge keys', async () => {
    const text = `${fileOf('online-deployment', {})}
liveness_probe: &probe {period: 5, timeout: 3}
readiness_probe: {<<: *probe, timeout: 4}`;
    expect(await load('online-deployment', text)).toMatchObject({
      body: {
        properties: {
          livenessProbe: { period: 'PT5S', timeout: 'PT3S' },
          readinessProbe: { period: 'PT5S', timeout: 'PT4S' },
        },
      },
    });
  });

  it('may begin with a byte order mark', async () => {
    expect(await load('online-endpoint', '\uFEFFname: fern')).toMatchObject({ name: 'fern' });
  });
});

const name32 = '3 to 32 letters, digits and dashes, beginning with a letter and not ending with a dash';
const asset255 = 'at most 255 letters, digits, dashes, underscores and dots, beginning with a letter or digit';

const refused: (Case & { says: string[] })[] = [
  ...['a1', '9ab', 'ab-', '-ab', 'a_b', 'a b', 'ä'.repeat(4), 'x'.repeat(33)].map((name) => ({
    kind: 'online-endpoint' as const,
    fields: { name: `"${name}"` },
    says: [`name: '${name}' is not allowed (expected ${name32})`],
  })),
  {
    kind: 'online-endpoint',
    fields: { name: undefined, auth_mode: 'key' },
    says: ['name: is missing (expected a value: it is required)'],
  },
  {
    kind: 'online-endpoint',
    fields: { auth_mode: 'aad_token' },
    says: [
      'auth_mode: asks for Entra ID authentication (auth_mode aad_token), which comes with a later version of Mooring',
    ],
  },
  {
    kind: 'online-endpoint',
    fields: { auth_mode: 'password' },
    says: ["auth_mode: 'password' is not allowed (expected one of: key)"],
  },
  {
    kind: 'online-endpoint',
    fields: { traffic: '{abc: 90}' },
    says: ['traffic: sums to 90 (expected a sum of 0 or 100)'],
  },
  {
    kind: 'online-endpoint',
    fields: { traffic: '{abc: 101}' },
    says: ['traffic.abc: 101 is not allowed (expected a whole number from 0 to 100)'],
  },
  {
    kind: 'online-endpoint',
    fields: { traffic: '{abc: 50.5, def: 49.5}' },
    says: [
      'traffic.abc: 50.5 is not allowed (expected a whole number from 0 to 100)',
      'traffic.def: 49.5 is not allowed (expected a whole number from 0 to 100)',
    ],
  },
  {
    kind: 'online-endpoint',
    fields: { traffic: '{Luca: 50, luca: 50}' },
    says: ['traffic.luca: is there twice: names do not differ by case (expected each deployment once)'],
  },
  {
    kind: 'online-endpoint',
    fields: { traffic: '{a b: 100}' },
    says: [`traffic.a b: 'a b' is not a name (expected the name of a deployment: ${name32})`],
  },
  {
    kind: 'online-endpoint',
    fields: { mirror_traffic: '{luca: 51}' },
    says: ['mirror_traffic.luca: 51 is not allowed (expected a whole number from 0 to 50)'],
  },
  {
    kind: 'online-endpoint',
    fields: { traffic: '{luca: 100}', mirror_traffic: '{luca: 10}' },
    says: [
      "mirror_traffic.luca: 'luca' already gets 100 % of the live traffic (expected a deployment without live traffic)",
    ],
  },
  {
    kind: 'online-endpoint',
    fields: { trafic: '{luca: 100}' },
    says: ["trafic: is not a field (did you mean 'traffic'?)"],
  },
  {
    kind: 'online-deployment',
    fields: { instance_type: undefined },
    says: ['instance_type: is missing (expected a value: it is required)'],
  },
  {
    kind: 'online-deployment',
    fields: { instance_count: '51' },
    says: ['instance_count: 51 is not allowed (expected a whole number from 1 to 50)'],
  },
  {
    kind: 'online-deployment',
    fields: { instance_count: '0' },
    says: ['instance_count: 0 is not allowed (expected a whole number from 1 to 50)'],
  },
  {
    kind: 'online-deployment',
    fields: { request_settings: '{request_timeout_ms: 180001}' },
    says: ['request_settings.request_timeout_ms: 180001 is not allowed (expected a whole number from 1 to 180000)'],
  },
  {
    kind: 'online-deployment',
    fields: { request_settings: '{max_concurrent_requests_per_instance: 0}' },
    says: [
      'request_settings.max_concurrent_requests_per_instance: 0 is not allowed (expected a whole number from 1 to 100000)',
    ],
  },
  {
    kind: 'online-deployment',
    fields: { liveness_probe: '{success_threshold: 2, period: 0}' },
    says: [
      'liveness_probe.period: 0 is not allowed (expected a whole number from 1 to 86400)',
      'liveness_probe.success_threshold: 2 is not allowed (expected a whole number from 1 to 1)',
    ],
  },
  {
    kind: 'online-deployment',
    fields: { scale_settings: '{type: target_utilization, max_instances: 3}' },
    says: [
      'scale_settings.type: asks for automatic scaling, which comes with a later version of Mooring',
      'scale_settings.max_instances: asks for automatic scaling, which comes with a later version of Mooring',
    ],
  },
  {
    kind: 'online-deployment',
    fields: { data_collector: '{collections: {request: {enabled: "True", sampling_rate: 0.5}}}' },
    says: ['data_collector.collections.request.sampling_rate: is not a field (expected one of: enabled)'],
  },
  {
    kind: 'online-deployment',
    fields: { code_configuration: '{code: serving, scoring_script: missing.py}' },
    says: [
      `code_configuration.scoring_script: there is no file 'missing.py' in ${folder.path}/serving (expected a file of that folder)`,
    ],
  },
  {
    kind: 'online-deployment',
    fields: { code_configuration: '{code: serving, scoring_script: ../docker/Dockerfile}' },
    says: [
      `code_configuration.scoring_script: '../docker/Dockerfile' is not inside ${folder.path}/serving (expected a path relative to ${folder.path}/serving)`,
    ],
  },
  {
    kind: 'online-deployment',
    fields: { code_configuration: '{code: nowhere, scoring_script: handler.py}' },
    says: [
      `code_configuration.code: there is nothing at ${folder.path}/nowhere (expected a path relative to ${folder.path})`,
    ],
  },
  {
    kind: 'online-deployment',
    fields: { code_configuration: undefined, model: undefined },
    says: ['model: is missing (expected a model, or code_configuration with a scoring script)'],
  },
  {
    kind: 'online-deployment',
    fields: { code_configuration: undefined, model: '{path: artifacts/fern}' },
    says: [
      `code_configuration: is missing, and ${folder.path}/artifacts/fern holds no ONNX model that could be served without it (expected code and scoring_script, or a model with an .onnx file)`,
    ],
  },
  {
    kind: 'online-deployment',
    fields: { model: 'fern:1' },
    says: ["model: 'fern:1' is not allowed (expected azureml:fern:1)"],
  },
  {
    kind: 'online-deployment',
    fields: { model: 'azureml:fern' },
    says: ["model: 'azureml:fern' is not allowed (expected a version: azureml:fern:1 or azureml:fern@latest)"],
  },
  {
    kind: 'online-deployment',
    fields: { model: 'azureml:fern@newest' },
    says: ["model: 'azureml:fern@newest' is not allowed (expected the label 'latest': azureml:fern@latest)"],
  },
  ...(
    [
      ['azureml://registries/r/models/m/versions/1', 'assets of a shared registry'],
      ['azureml://jobs/j/outputs/o/paths/p', 'outputs of a job as a source'],
      ['azureml://datastores/d/paths/p', 'files of a datastore as a source'],
      ['runs:/r/p', 'files of an MLflow run as a source'],
      ['https://example.com/m.zip', 'files of a remote address as a source'],
      ['wasbs://c@a/p', 'files of a remote address as a source'],
    ] as const
  ).flatMap(([path, capability]) => [
    {
      kind: 'model' as const,
      fields: { path },
      says: [`path: asks for ${capability}, which comes with a later version of Mooring`],
    },
    {
      kind: 'online-deployment' as const,
      fields: { model: `{path: "${path}"}` },
      says: [`model.path: asks for ${capability}, which comes with a later version of Mooring`],
    },
  ]),
  {
    kind: 'online-deployment',
    fields: { environment_variables: '{"A=B": c}' },
    says: [
      "environment_variables.A=B: 'A=B' is not a name (expected the name of a variable: at most 256 characters, none of them =)",
    ],
  },
  {
    kind: 'online-deployment',
    fields: { properties: '{mooring.batch.max-row: 8}' },
    says: [
      'properties.mooring.batch.max-row: is not a setting (expected one of: mooring.mirror.ignore, mooring.batch.max-rows, mooring.batch.max-delay-us, mooring.max-request-bytes, mooring.max-response-bytes, mooring.cpu, mooring.memory-mib, mooring.mirror.tolerance)',
    ],
  },
  { kind: 'model', fields: { path: undefined }, says: ['path: is missing (expected a value: it is required)'] },
  {
    kind: 'model',
    fields: { type: 'mlflow_model', path: 'artifacts/fern/weights.json' },
    says: [`path: ${folder.path}/artifacts/fern/weights.json is a file (expected a folder: type is mlflow_model)`],
  },
  {
    kind: 'model',
    fields: { version: 'a/b' },
    says: [`version: 'a/b' is not allowed (expected ${asset255})`],
  },
  {
    kind: 'environment',
    fields: { build: '{path: docker}' },
    says: ['build: cannot stand beside image (expected either image or build)'],
  },
  {
    kind: 'environment',
    fields: { image: undefined, conda_file: 'env/conda.yaml' },
    says: ["(file): says no base to build on (expected an 'image' beside conda_file)"],
  },
  {
    kind: 'environment',
    fields: { image: undefined, build: '{path: docker, dockerfile_path: Other}' },
    says: [`build.dockerfile_path: there is no file 'Other' in ${folder.path}/docker (expected a file of that folder)`],
  },
  {
    kind: 'environment',
    fields: { conda_file: 'env/none.yaml' },
    says: [
      `conda_file: there is no file ${folder.path}/env/none.yaml (expected a conda YAML file, relative to ${folder.path})`,
    ],
  },
];

describe('a file that breaks a rule', () => {
  it.each(refused)('is refused as $kind with $fields', async ({ kind, fields, says }) => {
    expect(linesOf(await refusal(load(kind, fileOf(kind, fields))))).toEqual(says);
  });

  it('is told all of its problems at once, those of local files too', async () => {
    const text = `
name: b
endpoint_nam: fern
model: {path: nowhere}
environment: {conda_file: none.yaml}
code_configuration: {code: serving, scoring_script: missing.py}
instance_count: many
`;
    const error = await refusal(load('online-deployment', text));
    expect(error).toMatchObject({ code: 'invalid_argument', reason: 'VALIDATION_FAILED' });
    expect(error.problems.map(({ path }) => path)).toEqual([
      'endpoint_nam',
      'name',
      'endpoint_name',
      'environment',
      'instance_type',
      'instance_count',
      'code_configuration.scoring_script',
      'model.path',
      'environment.conda_file',
    ]);
  });

  it('is told what its scoring script fails with', async () => {
    const file = folder.write('script.yml', fileOf('online-deployment', {}));
    const checkScript = async (script: string, path: string) => ({
      path,
      problem: `${script.slice(folder.path.length)}, line 1: invalid syntax`,
      expected: 'Python that parses',
    });
    expect(linesOf(await refusal(loadYaml(file, { kind: 'online-deployment', checkScript })))).toEqual([
      'code_configuration.scoring_script: /serving/handler.py, line 1: invalid syntax (expected Python that parses)',
    ]);
  });

  it('shows a wrong value without the characters that would write to a terminal, and not the whole of it', async () => {
    const error = await refusal(load('online-endpoint', `name: "\\e[31m${'x'.repeat(100_000)}"`));
    expect(linesOf(error).join('\n').length).toBeLessThan(300);
    expect(linesOf(error)[0]).toContain("name: '?[31mxxx");
  });
});
