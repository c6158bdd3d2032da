import { linkProblems, type PipelineComponent, type StepComponent } from '@mooring/domain';
import { fixture } from '@mooring/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { readComponent } from '../component/read-component.ts';
import type { Reading } from '../reading/fields.ts';
import { loadYaml, yamlShapeOf } from './index.ts';
import { linesOf, refusal } from './testing/refusal.ts';
import { ruleFolder } from './testing/rule-files.ts';

const file = (name: string): string => fixture(`azureml-yaml/${name}`);
const folder = ruleFolder(fixture('azureml-yaml'));
afterAll(() => folder.remove());

describe('files of pipelines and their components', () => {
  it('reads a command component, its code from beside its own file', async () => {
    expect(await loadYaml(file('pipe/components/tidy.yml'), { kind: 'component' })).toEqual({
      kind: 'component',
      name: 'kelp_tidy',
      code: { files: { path: file('pipe/components/src'), name: 'src' } },
      environment: { reference: { form: 'latest', type: 'environments', name: 'kelp-env' } },
      body: {
        properties: {
          componentSpec: {
            name: 'kelp_tidy',
            type: 'command',
            inputs: { data: { type: 'uri_folder' } },
            outputs: { clean: { type: 'uri_folder' } },
            command: 'python tidy.py --in ${{inputs.data}} --out ${{outputs.clean}}',
          },
          isAnonymous: false,
          tags: {},
          properties: {},
        },
      },
    });
  });

  it('reads a pipeline deployment with the pipeline of a file and the steps of that', async () => {
    const draft = await loadYaml(file('14-batch-deployment-pipeline.yml'), { kind: 'batch-deployment' });
    expect(draft).toMatchObject({
      name: 'kelp-pipe',
      endpointName: 'kelp-batch',
      body: {
        properties: {
          deploymentConfiguration: {
            deploymentConfigurationType: 'PipelineComponent',
            settings: { default_compute: 'batch-pool', continue_on_step_failure: 'false' },
          },
        },
      },
    });
    const pipeline = draft.component !== undefined && 'inline' in draft.component ? draft.component.inline : undefined;
    expect(pipeline?.name).toBeUndefined();
    expect(pipeline?.steps).toMatchObject({
      tidy: { inline: { code: { files: { path: file('pipe/components/src') } } } },
      rate: { reference: { form: 'latest', type: 'components', name: 'kelp_rate' } },
    });
    expect(pipeline?.body.properties).toMatchObject({ isAnonymous: true });
  });

  it.each(['azureml:kelp_pipe@latest', 'azureml:kelp_pipe:3'])('takes the stored pipeline %s', async (component) => {
    const draft = await folder.load(
      'batch-deployment',
      `name: kelp-pipe\nendpoint_name: kelp\ncomponent: ${component}`,
    );
    expect(draft.component).toMatchObject({ reference: { type: 'components', name: 'kelp_pipe' } });
  });

  it('reads what the fixtures mean, and links it', async () => {
    const spec = await specOf('pipe/pipeline.yml');
    const pipeline = read({ ...spec, jobs: spec['jobs'] }) as PipelineComponent;
    expect(pipeline.steps['rate']?.inputs).toEqual({
      data: { from: 'step', step: 'tidy', output: 'clean' },
      model: { from: 'data', type: 'mlflow_model', uri: 'azureml:kelp-mlflow@latest' },
      how: { from: 'pipeline', input: 'how' },
    });
    const tidy = read(await specOf('pipe/components/tidy.yml')) as StepComponent;
    const rate = read({
      type: 'command',
      inputs: { data: { type: 'uri_folder' }, model: { type: 'mlflow_model' }, how: { type: 'string' } },
      outputs: { scores: { type: 'uri_folder' } },
      command: 'python rate.py ${{inputs.data}} ${{inputs.model}} ${{inputs.how}} ${{outputs.scores}}',
    }) as StepComponent;
    expect(linkProblems(pipeline, new Map(Object.entries({ tidy, rate })))).toEqual([]);
  });

  it('reads what the SDK sends of the same', () => {
    const value = '${{parent.inputs.raw}}';
    const sent = read({
      $schema: 'x',
      _source: 'YAML.COMPONENT',
      type: 'pipeline',
      name: 'azureml_anonymous',
      version: '0b9f',
      is_deterministic: true,
      inputs: { raw: { type: 'uri_folder' }, n: { type: 'integer', default: '3', min: '1', optional: 'True' } },
      outputs: { scores: { type: 'uri_folder' } },
      jobs: {
        tidy: {
          _source: 'YAML.COMPONENT',
          name: 'tidy',
          type: 'command',
          componentId: '/subscriptions/s/x',
          computeId: '/subscriptions/s/y',
          inputs: {
            data: { job_input_type: 'literal', value },
            model: { job_input_type: 'mlflow_model', uri: 'azureml:m:1' },
          },
          outputs: { clean: { value: '${{parent.outputs.scores}}', type: 'literal' } },
        },
      },
    });
    expect(sent).toMatchObject({
      inputs: { n: { type: 'integer', default: '3', min: 1, optional: true } },
      steps: {
        tidy: {
          component: '/subscriptions/s/x',
          inputs: {
            data: { from: 'pipeline', input: 'raw' },
            model: { from: 'data', type: 'mlflow_model', uri: 'azureml:m:1' },
          },
          outputs: { clean: { pipelineOutput: 'scores' } },
        },
      },
    });
  });

  it('reads a parallel component with what of a job it sets', () => {
    expect(read(parallel)).toEqual({
      type: 'parallel',
      inputs: { images: { kind: 'data', type: 'uri_folder', optional: false, direct: false } },
      outputs: { scores: { type: 'uri_file' } },
      inputData: 'images',
      code: 'azureml:c:1',
      entryScript: 'score.py',
      environmentVariables: {},
      programArguments: '--out ${{outputs.scores}}',
      appendRowTo: 'scores',
      settings: {
        instanceCount: 2,
        maxConcurrencyPerInstance: 2,
        miniBatchSize: 5,
        errorThreshold: 3,
        loggingLevel: 'debug',
        retrySettings: { maxRetries: 1, timeoutS: 60 },
      },
    });
  });

  it('shows a stored component as its file spells it', () => {
    const componentSpec = { type: 'command', command: 'true', name: 'tidy' };
    const id = '/subscriptions/s/resourceGroups/r/providers/p/workspaces/w/components/tidy/versions/2';
    expect(yamlShapeOf('component', { id, properties: { componentSpec, tags: { a: 'b' } } })).toMatchObject({
      name: 'tidy',
      version: '2',
      type: 'command',
      command: 'true',
      tags: { a: 'b' },
    });
  });
});

const parallel = {
  type: 'parallel',
  inputs: { images: { type: 'uri_folder' } },
  outputs: { scores: { type: 'uri_file' } },
  input_data: '${{inputs.images}}',
  mini_batch_size: '5',
  max_concurrency_per_instance: 2,
  error_threshold: 3,
  mini_batch_error_threshold: -1,
  logging_level: 'DEBUG',
  retry_settings: { max_retries: 1, timeout: 60 },
  resources: { instance_count: 2 },
  task: {
    type: 'run_function',
    code: 'azureml:c:1',
    entry_script: 'score.py',
    program_arguments: '--out ${{outputs.scores}}',
    append_row_to: '${{outputs.scores}}',
  },
};

async function specOf(name: string): Promise<Record<string, unknown>> {
  const draft = await loadYaml(file(name), { kind: 'component' });
  return draft.body.properties['componentSpec'] as Record<string, unknown>;
}

function read(spec: unknown): ReturnType<typeof readComponent> {
  const reading: Reading = { problems: [], sources: new Map(), quotedNumbers: true, unknownPassed: true };
  const component = readComponent(spec, '', reading);
  expect(reading.problems).toEqual([]);
  return component;
}

const later = (path: string, capability: string): string =>
  `${path}: asks for ${capability}, which comes with a later version of Mooring`;
const command = 'name: tidy\ntype: command\ncommand: "true"\n';
const task = '{type: run_function, entry_script: a.py}';
const step = (text: string): string =>
  `name: pipe\ntype: pipeline\ninputs: {raw: {type: uri_folder}}\njobs:\n  tidy: {component: "azureml:t:1", ${text}}\n`;

const refused: [text: string, says: string][] = [
  ['name: tidy\ncommand: "true"', 'type: is missing (expected one of: command, parallel, pipeline)'],
  ['type: command\ncommand: "true"', 'name: is missing'],
  ['name: tidy\ntype: sweep', "type: 'sweep' is not allowed (expected one of: command, parallel, pipeline)"],
  ['name: tidy\ntype: command', 'command: is missing'],
  [`${command}input: {}`, "input: is not a field (did you mean 'inputs'?)"],
  [`${command}inputs: {a-b: {type: string}}`, "inputs.a-b: 'a-b' is not a name"],
  [`${command}inputs: {"../x": {type: string}}`, 'is not a name'],
  [`${command}outputs: {__proto__: {type: uri_folder}}`, 'is not a name'],
  [`${command}inputs: {a: {type: text}}`, "inputs.a.type: 'text' is not allowed"],
  [`${command}inputs: {a: string}`, 'inputs.a: '],
  [`${command}inputs: {a: {type: uri_folder, default: x}}`, 'inputs.a.default: is of values, and uri_folder is data'],
  [`${command}inputs: {a: {type: integer, default: x}}`, 'inputs.a.default: is not allowed (expected a whole number)'],
  [
    `${command}inputs: {a: {type: integer, min: 3, default: 2}}`,
    'inputs.a.default: is not allowed (expected a number from 3 on)',
  ],
  [`${command}inputs: {a: {type: integer, enum: [x]}}`, 'inputs.a.enum: is not allowed (expected a whole number)'],
  [`${command}outputs: {a: {type: string}}`, "outputs.a.type: 'string' is not allowed"],
  [`${command}code: nowhere`, 'code: there is nothing at'],
  [`${command}environment: {name: x}`, 'environment: says no base to build on'],
  [`${command}environment: kelp`, "environment: 'kelp' is not allowed"],
  [`${command}distribution: {type: pytorch}`, later('distribution', 'distributed commands')],
  [`${command}resources: {instance_count: 2}`, later('resources.instance_count', 'commands on several nodes')],
  [
    'name: tidy\ntype: command\ncommand: cat ${{inputs.a}}',
    'command: there is no ${{inputs.a}} (expected one of: none)',
  ],
  ['name: p\ntype: parallel\ninput_data: x\ntask: {}', 'task.entry_script: is missing'],
  [
    `name: p\ntype: parallel\ninput_data: x\ntask: ${task}`,
    "input_data: 'x' is not allowed (expected ${{inputs.<name>}})",
  ],
  [`name: p\ntype: parallel\ninput_data: \${{inputs.x}}\ntask: ${task}`, 'input_data: there is no ${{inputs.x}}'],
  [
    `name: p\ntype: parallel\ninput_data: \${{inputs.x}}\nmini_batch_size: 10kb\ntask: ${task}`,
    later('mini_batch_size', 'mini-batches by their size in bytes'),
  ],
  ['name: pipe\ntype: pipeline', 'jobs: is missing'],
  ['name: pipe\ntype: pipeline\njobs: {a: {}}', 'jobs.a.component: is missing'],
  ['name: pipe\ntype: pipeline\njobs: {a: {component: nowhere.yml}}', 'jobs.a.component: there is nothing at'],
  ['name: pipe\ntype: pipeline\njobs: {a: {component: pipe}}', 'jobs.a.component: '],
  ['name: pipe\ntype: pipeline\njobs: {a: {component: 3}}', 'jobs.a.component: 3 is not allowed'],
  [
    'name: pipe\ntype: pipeline\njobs: {a: {component: pipe/pipeline.yml}}',
    later('jobs.a.component', 'pipelines within pipelines'),
  ],
  ['name: pipe\ntype: pipeline\njobs: {a: {component: env/conda.yaml}}', 'jobs.a.component.type: is missing'],
  [
    'name: pipe\ntype: pipeline\njobs: {a: {component: pipe/components/tidy.yml}}',
    'jobs.a.inputs.data: is missing: its component requires it',
  ],
  [step('inputs: {a: "x${{parent.inputs.raw}}"}'), 'jobs.tidy.inputs.a: '],
  [step('inputs: {a: [1]}'), 'jobs.tidy.inputs.a: a list is not allowed'],
  [step('inputs: {a: {type: uri_folder, path: data}}'), "jobs.tidy.inputs.a.path: 'data' is a local path"],
  [
    step('inputs: {a: {type: uri_folder, path: "https://x/y"}}'),
    later('jobs.tidy.inputs.a.path', 'files of a remote address'),
  ],
  [step('inputs: {a: {type: text, path: "azureml:x:1"}}'), "jobs.tidy.inputs.a.type: 'text' is not allowed"],
  [step('outputs: {a: here}'), "jobs.tidy.outputs.a: 'here' is not allowed"],
  [step('outputs: {a: {path: "azureml://datastores/d/paths/p"}}'), later('jobs.tidy.outputs.a', 'places of their own')],
  [step('type: pipeline'), later('jobs.tidy.type', 'pipelines within pipelines')],
  [step('command: ls'), later('jobs.tidy.command', 'steps without a component of their own')],
];

describe('a component that is not sound', () => {
  it.each(refused)('is refused with what is wrong: %j', async (text, says) => {
    const lines = linesOf(await refusal(folder.load('component', text)));
    expect(lines.join('\n')).toContain(says.replace(/, which comes.*$/, ''));
  });

  it.each([
    [
      'component: pipe/components/tidy.yml',
      'component: is a command component (expected a component of type: pipeline)',
    ],
    ['job_definition: azureml:job', later('job_definition', 'pipelines made of a job (job_definition)')],
    ['type: pipeline', 'component: is missing'],
    ['component: azureml:p:1\nmodel: azureml:m:1', 'model: is for deployments of a model'],
    ['component: azureml:p:1\nsettings: {mini_batch_size: 3}', 'settings.mini_batch_size: is not a field'],
    ['component: azureml:p:1\nsettings: {continue_on_step_failure: maybe}', 'settings.continue_on_step_failure: '],
    ['component: azureml:p', 'component: '],
    ['component: azureml://registries/r/components/c/versions/1', later('component', 'assets of a shared registry')],
  ])('makes no deployment: %j', async (text, says) => {
    const lines = linesOf(await refusal(folder.load('batch-deployment', `name: pipe\nendpoint_name: kelp\n${text}`)));
    expect(lines.join('\n')).toContain(says);
  });
});
