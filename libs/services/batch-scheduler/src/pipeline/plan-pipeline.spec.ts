import { loadYaml } from '@mooring/azureml/yaml';
import type { AssetKind, PipelineBatchDeploymentSpec } from '@mooring/domain';
import { codeSpec, componentSpec, dataSpec, environmentSpec, modelSpec } from '@mooring/domain/testing';
import type { PlatformError } from '@mooring/errors';
import { fixture } from '@mooring/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { readJobRequest } from '../domain/read-job-request.ts';
import type { Catalog } from '../ports.ts';
import { planPipeline } from './plan-pipeline.ts';

const home = { container: 'store', folder: 'azureml/night-1' };
const deployment: PipelineBatchDeploymentSpec = {
  tags: {},
  properties: {},
  type: 'pipeline',
  component: 'kelp_pipe/1',
  settings: { continueOnStepFailure: false, forceRerun: false },
};

/** What the client stores of the fixtures' files. */
let assets: Record<string, unknown>;
beforeAll(async () => {
  const specOf = async (name: string): Promise<Record<string, unknown>> =>
    (await loadYaml(fixture(`azureml-yaml/pipe/${name}`), { kind: 'component' })).body.properties[
      'componentSpec'
    ] as Record<string, unknown>;
  const [pipe, tidy] = [await specOf('pipeline.yml'), await specOf('components/tidy.yml')];
  const jobs = pipe['jobs'] as Record<string, object>;
  assets = {
    'component kelp_pipe/1': componentSpec({
      component: {
        ...pipe,
        jobs: {
          tidy: { ...jobs['tidy'], componentId: 'azureml:azureml_anonymous:t1' },
          rate: { ...jobs['rate'], componentId: 'azureml:kelp_rate@latest' },
        },
      },
    }),
    'component azureml_anonymous/t1': componentSpec({
      component: { ...tidy, code: 'azureml:src:1', environment: 'azureml:kelp-env@latest' },
    }),
    'component kelp_rate/4': componentSpec({
      component: {
        type: 'command',
        inputs: {
          data: { type: 'uri_folder' },
          model: { type: 'mlflow_model' },
          how: { type: 'string', enum: ['append', 'replace'] },
        },
        outputs: { scores: { type: 'uri_folder' } },
        limits: { timeout: 60 },
        command: 'python rate.py ${{inputs.data}} ${{inputs.model}} ${{inputs.how}} ${{outputs.scores}}',
      },
    }),
    'code src/1': codeSpec(),
    'environment kelp-env/7': environmentSpec(),
    'model kelp-mlflow/2': modelSpec({ type: 'mlflow_model', path: 'store/models/kelp' }),
    'data unlabelled/3': dataSpec(),
    'data table/1': dataSpec({ type: 'mltable' }),
  };
});

function catalog(changes: Record<string, unknown> = {}): Catalog {
  const all = { ...assets, ...changes };
  return {
    endpoint: async () => undefined,
    deployment: async () => undefined,
    asset: async (kind: AssetKind, key: string) => all[`${kind} ${key}`] as never,
    latest: async (kind, name) => {
      const keys = Object.keys(all).filter((key) => key.startsWith(`${kind} ${name}/`));
      return keys.at(-1)?.split('/')[1];
    },
  };
}

const taken = ['out/taken/a.csv'];
const store = {
  list: async (_container: string, { prefix = '' }: { prefix?: string }) => ({
    entries: taken.filter((path) => path.startsWith(prefix)).map((path) => ({ path }) as never),
  }),
};
const web = {
  check: (url: URL) => {
    if (url.host !== 'listed') throw new Error('not listed');
  },
};

function plan(properties: object, changes: Record<string, unknown> = {}, spec = deployment) {
  const request = readJobRequest(JSON.stringify({ properties }));
  return planPipeline({ catalog: catalog(changes), store, web }, spec, request, home);
}

const raw = { jobInputType: 'UriFolder', uri: 'azureml:unlabelled@latest' };
// What the fixture of an invocation says, as the command line sends it.
const how = { jobInputType: 'Literal', value: 'append' };

describe('the plan of a pipeline’s job', () => {
  it('has every version and every place fixed', async () => {
    const uri = 'azureml://datastores/workspaceblobstore/paths/out/run1';
    const made = await plan({ inputData: { raw, how }, outputData: { scores: { jobOutputType: 'UriFolder', uri } } });
    expect(made.steps.map(({ name, after }) => [name, after])).toEqual([
      ['tidy', []],
      ['rate', ['tidy']],
    ]);
    const [tidy, rate] = made.steps;
    expect(tidy).toMatchObject({
      code: { codeKey: 'src/1', scoringScript: '' },
      environment: 'kelp-env/7',
      output: { container: 'store', folder: 'azureml/night-1/steps/tidy' },
      settings: { miniBatchSize: 1, outputAction: 'append_row', retrySettings: { maxRetries: 0, timeoutS: 86_400 } },
      runs: {
        command: 'python tidy.py --in ${{inputs.data}} --out ${{outputs.clean}}',
        inputs: { data: { kind: 'data', uri: 'azureml:unlabelled:3' } },
      },
    });
    expect(rate).not.toHaveProperty('code');
    expect(rate?.settings.retrySettings.timeoutS).toBe(60);
    expect(rate?.runs.inputs).toEqual({
      data: {
        kind: 'data',
        type: 'uri_folder',
        uri: 'azureml://datastores/store/paths/azureml/night-1/steps/tidy/clean',
        direct: false,
        ofStep: true,
      },
      model: { kind: 'data', type: 'mlflow_model', uri: 'azureml://datastores/store/paths/models/kelp', direct: false },
      how: { kind: 'literal', text: 'append' },
    });
    expect(rate?.runs.outputs).toEqual({
      scores: { container: 'workspaceblobstore', folder: 'out/run1', type: 'uri_folder' },
    });
  });

  it('takes a file of the web from a host that is listed', async () => {
    const file = { jobInputType: 'UriFolder', uri: 'https://listed/a' };
    expect((await plan({ inputData: { raw: file } })).inputs['raw']).toMatchObject({ uri: 'https://listed/a' });
    await expect(plan({ inputData: { raw: { ...file, uri: 'https://other/a' } } })).rejects.toThrow('not listed');
  });

  const place = (uri: string): object => ({ scores: { jobOutputType: 'UriFolder', uri } });
  it.each<[string, object, string]>([
    ['no input', {}, 'properties.inputData.raw: is missing'],
    ['an input of another type', { inputData: { raw: { ...raw, jobInputType: 'UriFile' } } }, 'raw: is uri_file'],
    [
      'a value that a step does not take',
      { inputData: { raw, how: { ...how, value: 'x' } } },
      "inputData.how: is not what step 'rate' takes",
    ],
    ['a value that is none', { inputData: { raw, how: { ...how, value: { a: 1 } } } }, 'inputData.how: is not allowed'],
    ['data that is not there', { inputData: { raw: { ...raw, uri: 'azureml:none:1' } } }, "there is no data 'none/1'"],
    ['a table', { inputData: { raw: { ...raw, uri: 'azureml:table:1' } } }, 'is an mltable'],
    ['a folder of this machine', { inputData: { raw: { ...raw, uri: '/etc' } } }, 'uploaded first'],
    [
      'a place out of its container',
      { inputData: { raw }, outputData: place('azureml://datastores/d/paths/../x') },
      'is no place',
    ],
    [
      'a place that is data',
      { inputData: { raw }, outputData: place('azureml:unlabelled:3') },
      'is no folder of a datastore',
    ],
    [
      'a place with files',
      { inputData: { raw }, outputData: place('azureml://datastores/d/paths/out/taken') },
      'holds files already',
    ],
    [
      'an unknown output',
      { inputData: { raw }, outputData: { x: { uri: 'azureml://datastores/d/paths/x' } } },
      'outputData.x: is not there',
    ],
  ])('is refused with %s', async (_what, properties, says) => {
    await expect(plan(properties)).rejects.toThrow(says);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['the pipeline', { 'component kelp_pipe/1': undefined }, "there is no component 'kelp_pipe/1'"],
    [
      'a component of a step',
      { 'component azureml_anonymous/t1': undefined },
      "there is no component 'azureml_anonymous/t1'",
    ],
    ['code', { 'code src/1': undefined }, "there is no code 'src/1'"],
    ['a model', { 'model kelp-mlflow/2': undefined }, "there is no model 'kelp-mlflow/2'"],
    [
      'what the newest component of a step takes',
      { 'component kelp_rate/5': componentSpec() },
      "there is no input 'data' of its component",
    ],
  ])('is refused when %s is gone', async (_what, changes, says) => {
    await expect(plan({ inputData: { raw } }, changes)).rejects.toThrow(says);
  });

  it('is refused when it is too large for a document', async () => {
    const steps = Array.from({ length: 90 }, (_, index) => [
      `s${index}`,
      { componentId: 'azureml:long:1', inputs: { text: '${{parent.inputs.text}}' } },
    ]);
    const text = { type: 'string' };
    const changes = {
      'component long/1': componentSpec({ component: { type: 'command', inputs: { text }, command: 'echo' } }),
      'component many/1': componentSpec({
        component: { type: 'pipeline', inputs: { text }, jobs: Object.fromEntries(steps) },
      }),
    };
    const spec = { ...deployment, component: 'many/1' };
    const inputData = { text: { jobInputType: 'Literal', value: 'x'.repeat(8_000) } };
    const refused = await plan({ inputData }, changes, spec).catch((thrown: unknown) => thrown as PlatformError);
    expect(refused).toMatchObject({ code: 'too_large', reason: 'PIPELINE_TOO_LARGE' });
  });

  it('gathers what a parallel step gives in its output, with the settings of component and step', async () => {
    const parallel = {
      type: 'parallel',
      inputs: { files: { type: 'uri_folder' } },
      outputs: { scores: { type: 'uri_file' } },
      input_data: '${{inputs.files}}',
      mini_batch_size: '5',
      retry_settings: { max_retries: 1 },
      task: { type: 'run_function', code: 'azureml:src:1', entry_script: 'a.py', append_row_to: '${{outputs.scores}}' },
    };
    const step = {
      componentId: 'azureml:par:1',
      inputs: { files: '${{parent.inputs.raw}}' },
      outputs: { scores: '${{parent.outputs.all}}' },
      retry_settings: { timeout: 9 },
      error_threshold: 2,
    };
    const changes = {
      'component par/1': componentSpec({ component: parallel }),
      'component p/1': componentSpec({
        component: {
          type: 'pipeline',
          inputs: { raw: { type: 'uri_folder' } },
          outputs: { all: { type: 'uri_file' } },
          jobs: { one: step },
        },
      }),
    };
    const spec = { ...deployment, component: 'p/1' };
    const { steps } = await plan({ inputData: { raw } }, changes, spec);
    expect(steps[0]).toMatchObject({
      input: { name: 'files', type: 'uri_folder', uri: 'azureml:unlabelled:3' },
      code: { codeKey: 'src/1', scoringScript: 'a.py' },
      settings: {
        miniBatchSize: 5,
        errorThreshold: 2,
        retrySettings: { maxRetries: 1, timeoutS: 9 },
        outputAction: 'append_row',
        outputFileName: 'scores/scores',
      },
    });
    const own = { all: { jobOutputType: 'UriFolder', uri: 'azureml://datastores/d/paths/x' } };
    await expect(plan({ inputData: { raw }, outputData: own }, changes, spec)).rejects.toThrow('is one file');
  });
});
