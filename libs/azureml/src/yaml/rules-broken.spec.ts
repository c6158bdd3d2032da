import { fixture } from '@mooring/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { loadYaml, type YamlKind } from './index.ts';
import { fileOf, ruleFolder, type Fields } from './testing/rule-files.ts';
import { linesOf, refusal } from './testing/refusal.ts';

const folder = ruleFolder(fixture('azureml-yaml'));
afterAll(() => folder.remove());

const name32 = '3 to 32 letters, digits and dashes, beginning with a letter and not ending with a dash';
const asset255 = 'at most 255 letters, digits, dashes, underscores and dots, beginning with a letter or digit';

const refused: { kind: YamlKind; fields: Fields; says: string[] }[] = [
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
      'properties.mooring.batch.max-row: is not a setting (expected one of: mooring.placement, mooring.mirror.ignore, mooring.single-flight, mooring.batch.max-rows, mooring.batch.max-delay-us, mooring.max-request-bytes, mooring.max-response-bytes, mooring.cpu, mooring.memory-mib, mooring.threads, mooring.mirror.tolerance, mooring.response-cache-ttl-ms, mooring.response-cache-bytes-max)',
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
    expect(linesOf(await refusal(folder.load(kind, fileOf(kind, fields))))).toEqual(says);
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
    const error = await refusal(folder.load('online-deployment', text));
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
    const error = await refusal(folder.load('online-endpoint', `name: "\\e[31m${'x'.repeat(100_000)}"`));
    expect(linesOf(error).join('\n').length).toBeLessThan(300);
    expect(linesOf(error)[0]).toContain("name: '?[31mxxx");
  });
});
