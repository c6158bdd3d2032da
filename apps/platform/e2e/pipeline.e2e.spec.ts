import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesOf, makeBatchEndpoint, type BatchEndpoint } from './batch.ts';
import { figure, fixtures, startPlatform, topology, until, type Platform } from './harness.ts';

/** Upper case of every file, once both steps that wait for nothing have begun. */
const tidy = `
import os, sys, time
source, target = sys.argv[1:3]
here = os.environ["SHARED"]
open(os.path.join(here, "tidy-began"), "w").close()
while not os.path.exists(os.path.join(here, "names-began")):
    time.sleep(0.02)
for name in sorted(os.listdir(source)):
    with open(os.path.join(target, name), "w") as out:
        out.write(open(os.path.join(source, name)).read().upper())
`;

const score = `
import argparse, os
def init():
    global prefix
    parser = argparse.ArgumentParser()
    parser.add_argument("--prefix")
    prefix = parser.parse_known_args()[0].prefix
def run(mini_batch):
    return [f"{prefix}{os.path.basename(path)} {open(path).read()}" for path in mini_batch]
`;

/** Waits for the gate where there is one, and notes each time that it began. */
const report = `
import os, sys, time
scores, names, how, target = sys.argv[1:5]
with open(os.environ["RUNS"], "a") as runs:
    runs.write(f"{os.getppid()}\\n")
while os.path.exists(os.environ["HOLD"]):
    time.sleep(0.02)
if how == "fail" and not os.path.exists(os.environ["MENDED"]):
    sys.exit("cannot do it: " + how)
with open(os.path.join(target, "report.txt"), "w") as out:
    out.write(f"{how}|{sys.argv[5:]}\\n" + open(names).read() + open(scores).read())
`;

const image = '{image: "mcr.microsoft.com/azureml/minimal:1"}';
let platform: Platform;
let batch: BatchEndpoint;
let hold = '';
let runs = '';
let mended = '';

beforeAll(async () => {
  platform = await startPlatform();
  batch = await makeBatchEndpoint(platform, 'night');
  const shared = join(platform.data, 'shared');
  mkdirSync(shared);
  [hold, runs, mended] = [join(shared, 'hold'), join(shared, 'runs'), join(shared, 'mended')];
  const folder = join(platform.data, 'letters');
  mkdirSync(folder);
  for (const letter of ['a', 'b', 'c', 'd', 'e']) writeFileSync(join(folder, `${letter}.txt`), `letter ${letter}`);
  await platform.json('data', 'create', '-f', platform.yaml(`name: letters\nversion: 1\npath: ${folder}\n`));
  const variables = `SHARED: ${shared}`;
  const files = {
    'src/tidy.py': tidy,
    'scoring/score.py': score,
    'reporting/report.py': report,
    'tidy.yml': [
      'type: command',
      'inputs: {raw: {type: uri_folder}}',
      'outputs: {clean: {type: uri_folder}}',
      `environment: ${image}`,
      'code: src',
      `environment_variables: {${variables}}`,
      'command: python tidy.py ${{inputs.raw}} ${{outputs.clean}}',
    ].join('\n'),
    'score.yml': [
      'type: parallel',
      'inputs: {files: {type: uri_folder}, prefix: {type: string}}',
      'outputs: {scores: {type: uri_file}}',
      'input_data: ${{inputs.files}}',
      'mini_batch_size: 2',
      'max_concurrency_per_instance: 2',
      'task:',
      '  type: run_function',
      '  code: scoring',
      '  entry_script: score.py',
      `  environment: ${image}`,
      '  program_arguments: --prefix ${{inputs.prefix}}',
      '  append_row_to: ${{outputs.scores}}',
    ].join('\n'),
    'pipe.yml': [
      'type: pipeline',
      'name: letters_pipe',
      'inputs: {raw: {type: uri_folder}, how: {type: string, default: append}, limit: {type: integer, optional: true, max: 9}}',
      'outputs: {report: {type: uri_folder}}',
      'jobs:',
      '  report:',
      '    type: command',
      '    component: azureml:report@latest',
      '    inputs:',
      '      scores: ${{parent.jobs.score.outputs.scores}}',
      '      names: ${{parent.jobs.names.outputs.list}}',
      '      how: ${{parent.inputs.how}}',
      '      limit: ${{parent.inputs.limit}}',
      '    outputs: {report: "${{parent.outputs.report}}"}',
      '    environment_variables:',
      `      {HOLD: ${hold}, RUNS: ${runs}, MENDED: ${mended}}`,
      '  score:',
      '    type: parallel',
      '    component: score.yml',
      '    inputs: {files: "${{parent.jobs.tidy.outputs.clean}}", prefix: "it\'s $(id): "}',
      '  tidy:',
      '    type: command',
      '    component: tidy.yml',
      '    inputs: {raw: "${{parent.inputs.raw}}"}',
      '  names:',
      '    type: command',
      '    component: names.yml',
      '    inputs: {raw: "${{parent.inputs.raw}}"}',
    ].join('\n'),
    'names.yml': [
      'type: command',
      'inputs: {raw: {type: uri_folder}}',
      'outputs: {list: {type: uri_file}}',
      `environment: ${image}`,
      `environment_variables: {${variables}}`,
      'command: >-',
      '  touch "$SHARED/names-began" &&',
      '  while [ ! -e "$SHARED/tidy-began" ]; do sleep 0.02; done &&',
      '  ls ${{inputs.raw}} > ${{outputs.list}}',
    ].join('\n'),
    'report.yml': [
      'name: report',
      'type: command',
      'inputs: {scores: {type: uri_file}, names: {type: uri_file}, how: {type: string}, limit: {type: integer, optional: true}}',
      'outputs: {report: {type: uri_folder}}',
      `environment: ${image}`,
      'code: reporting',
      'command: python report.py ${{inputs.scores}} ${{inputs.names}} "${{inputs.how}}" ${{outputs.report}} $[[--limit ${{inputs.limit}}]]',
    ].join('\n'),
  };
  const deployment = 'name: pipe\nendpoint_name: night\ntype: pipeline\ncomponent: pipe.yml\n';
  const path = platform.yaml(deployment, files);
  await platform.json('component', 'create', '-f', join(path, '..', 'report.yml'));
  await platform.json('batch-deployment', 'create', '-f', path, '--set-default');
});
afterAll(() => platform.remove());

const lines = ['a', 'b', 'c', 'd', 'e'];
const scored = lines.map((letter) => `it's $(id): ${letter}.txt LETTER ${letter.toUpperCase()}`);
const expected = (how: string, more = '[]'): string[] => [`${how}|${more}`, ...lines.map((l) => `${l}.txt`), ...scored];

function place(...names: string[]): string {
  return join(platform.data, 'artifacts/workspaceblobstore', ...names);
}

function reportOf(...folder: string[]): string[] {
  return linesOf(readFileSync(place(...folder, 'report.txt'), 'utf8'));
}

async function started(name: string, inputs: object = {}, outputs: object = {}): Promise<string> {
  const inputData = { raw: { jobInputType: 'UriFolder', uri: 'azureml:letters@latest' }, ...inputs };
  return batch.started(batch.invoke({ properties: { name, inputData, outputData: outputs } }));
}

describe(`a pipeline of commands and a parallel script (${topology} topology)`, () => {
  it('hands data from step to step, runs what can at once, and proves all of it', async () => {
    const beganAt = performance.now();
    // Its two first steps wait for each other's beginning.
    const name = await started('letters-1');
    const job = await batch.reached(name, 'Completed');
    expect(job.properties.mooring.progress).toMatchObject({ succeeded: 4, failed: 0, skipped: 0 });
    expect(reportOf('azureml', name, 'report')).toEqual(expected('append'));
    expect(readdirSync(place('azureml', name, 'steps/tidy/clean'))).toHaveLength(5);
    expect(linesOf(readFileSync(place('azureml', name, 'steps/score/scores/scores'), 'utf8'))).toEqual(scored);
    expect(await batch.verified(name)).toMatchObject({ ok: true, missing: 0, twice: 0, problems: [] });
    const results = join(platform.data, 'results');
    await platform.json('job', 'download', '-n', name, '-p', results);
    expect(linesOf(readFileSync(join(results, 'named-outputs/report/report.txt'), 'utf8'))).toEqual(expected('append'));
    const touched = place('azureml', name, 'steps/tidy/clean/a.txt');
    writeFileSync(touched, 'other');
    expect((await batch.verified(name))['problems']).toEqual([
      expect.stringMatching(/^step 'tidy': clean\/a\.txt is not/),
    ]);
    writeFileSync(touched, 'LETTER A');
    const { body } = await platform.send('/endpoints/night/jobs', { key: batch.key });
    expect((JSON.parse(body.toString()) as { value: { name: string }[] }).value.map((one) => one.name)).toEqual([name]);
    figure(`pipeline ${topology}: 4 steps, ${((performance.now() - beganAt) / 1_000).toFixed(1)} s`);
  });

  it('takes values and a place for its output, of which none is ever code', async () => {
    const how = `"; touch ${join(platform.data, 'hacked')}; echo "$(touch ${join(platform.data, 'hacked')})`;
    const output = { jobOutputType: 'UriFolder', uri: 'azureml://datastores/workspaceblobstore/paths/out/once' };
    const literals = { how: { jobInputType: 'Literal', value: how }, limit: { JobInputType: 'Literal', Value: '7' } };
    const name = await started('letters-2', literals, { report: output });
    await batch.reached(name, 'Completed');
    expect(reportOf('out/once')).toEqual(expected(how, "['--limit', '7']"));
    expect(existsSync(join(platform.data, 'hacked'))).toBe(false);
    expect(await batch.verified(name)).toMatchObject({ ok: true });
    const again = await batch.invoke({
      properties: {
        inputData: { raw: { jobInputType: 'UriFolder', uri: 'azureml:letters:1' } },
        outputData: { report: output },
      },
    });
    expect([again.status, again.body.toString()]).toEqual([409, expect.stringContaining('holds files already')]);
  });

  it.each<[string, object, string]>([
    ['no input', { inputData: {} }, 'properties.inputData.raw: is missing'],
    ['an unknown input', { inputData: { raw: 1, other: { jobInputType: 'Literal', value: 1 } } }, 'inputData.other'],
    ['a value for data', { inputData: { raw: { jobInputType: 'Literal', value: 'x' } } }, 'inputData.raw: is a value'],
    [
      'data that is not there',
      { inputData: { raw: { jobInputType: 'UriFolder', uri: 'azureml:none@latest' } } },
      "there is no version of the data 'none'",
    ],
    [
      'a place of no datastore',
      { outputData: { report: { jobOutputType: 'UriFolder', uri: '/etc' } } },
      'is no place that jobs can use',
    ],
    [
      'an unknown output',
      { outputData: { x: { jobOutputType: 'UriFolder', uri: 'azureml://datastores/workspaceblobstore/paths/x' } } },
      'outputData.x',
    ],
    [
      'a value out of its range',
      { inputData: { limit: { jobInputType: 'Literal', value: 10 } } },
      'properties.inputData.limit: is not allowed',
    ],
  ])('refuses a job with %s', async (_what, { inputData, ...rest }: { inputData?: object }, says) => {
    const raw = { jobInputType: 'UriFolder', uri: 'azureml:letters:1' };
    const inputs = inputData !== undefined && Object.keys(inputData).length === 0 ? {} : { raw, ...inputData };
    if ((inputs as { raw?: unknown }).raw === 1) Object.assign(inputs, { raw });
    const answer = await batch.invoke({ properties: { inputData: inputs, ...rest } });
    expect(answer.status, answer.body.toString()).toBe(400);
    expect(answer.body.toString()).toContain(says);
  });

  it('fails with the words of the step that did, and does only what is left when it is resumed', async () => {
    const name = await started('letters-3', { how: { jobInputType: 'Literal', value: 'fail' } });
    const failed = await batch.reached(name, 'Failed');
    expect(failed.properties.mooring.error?.message).toMatch(
      /^step 'report' did not complete: .*exited with 1\ncannot do it: fail/s,
    );
    expect(failed.properties.mooring.progress).toMatchObject({ succeeded: 3, failed: 1, skipped: 0 });
    expect(await batch.verified(name)).toMatchObject({
      ok: true,
      items: { in: 4, succeeded: 3, failed: 1, skipped: 0 },
    });
    const { stdout } = await platform.mooring('job', 'get-logs', '-n', name);
    expect(stdout).toContain('report: cannot do it: fail');
    const step = await platform.mooring('job', 'get-logs', '-n', `${name}:report`);
    expect(step.stdout).toContain('cannot do it: fail');
    const before = readFileSync(place('azureml', name, 'steps/tidy/manifest.json'), 'utf8');
    writeFileSync(mended, '');
    await platform.json('job', 'resume', '-n', name);
    await batch.reached(name, 'Completed');
    expect(reportOf('azureml', name, 'report')).toEqual(expected('fail'));
    expect(readFileSync(place('azureml', name, 'steps/tidy/manifest.json'), 'utf8')).toBe(before);
    expect(await batch.verified(name)).toMatchObject({ ok: true, items: { in: 4, succeeded: 4 } });
  });

  it('is cancelled with its steps, and what they began ends', async () => {
    writeFileSync(hold, '');
    rmSync(runs, { force: true });
    const name = await started('letters-4');
    await until('the last step to run', async () => existsSync(runs));
    await platform.json('job', 'cancel', '-n', name);
    const cancelled = await batch.reached(name, 'Canceled');
    expect(cancelled.properties.mooring.progress).toMatchObject({ succeeded: 3, failed: 0, skipped: 1 });
    expect(await batch.verified(name)).toMatchObject({
      ok: true,
      items: { in: 4, succeeded: 3, failed: 0, skipped: 1 },
    });
    const pid = Number(linesOf(readFileSync(runs, 'utf8'))[0]);
    await until('its process to end', async () => !existsSync(`/proc/${pid}`));
    rmSync(hold, { force: true });
  });

  it('gives each output once though its processes are killed while a step runs', async () => {
    writeFileSync(hold, '');
    rmSync(runs, { force: true });
    const name = await started('letters-5');
    // Where only the scheduler or the controller is killed, the run goes on.
    const victims: readonly [string | undefined, number][] =
      topology === 'split'
        ? [
            ['worker', 1],
            ['batch-scheduler', 2],
            ['controller', 2],
          ]
        : [
            [undefined, 1],
            [undefined, 2],
          ];
    for (const [victim, wanted] of victims) {
      await until(`run ${wanted} of the last step`, async () => {
        return existsSync(runs) && linesOf(readFileSync(runs, 'utf8')).length >= wanted;
      });
      process.kill(processOf(victim), 'SIGKILL');
    }
    rmSync(hold, { force: true });
    await until('the platform to answer', async () => (await batch.jobNamed(name)) !== undefined);
    await batch.reached(name, 'Completed');
    expect(reportOf('azureml', name, 'report')).toEqual(expected('append'));
    expect(readdirSync(place('azureml', name, 'report'))).toEqual(['report.txt']);
    expect(await batch.verified(name)).toMatchObject({
      ok: true,
      missing: 0,
      twice: 0,
      items: { in: 4, succeeded: 4 },
    });
    figure(
      `pipeline ${topology} kill -9 while a step runs: ${victims.length} kills, ${linesOf(readFileSync(runs, 'utf8')).length} runs, output once`,
    );
  });
});

it('a pipeline of the fixtures’ files is deployed and runs as they are', async () => {
  const environment = `name: kelp-env\nimage: mcr.microsoft.com/azureml/minimal:1\n`;
  await platform.json('environment', 'create', '-f', platform.yaml(environment));
  const model = 'name: kelp-mlflow\npath: model\ntype: mlflow_model\n';
  await platform.json('model', 'create', '-f', platform.yaml(model, { 'model/MLmodel': 'flavors: {}\n' }));
  const rate = [
    'name: kelp_rate',
    'type: command',
    'inputs: {data: {type: uri_folder}, model: {type: mlflow_model}, how: {type: string}}',
    'outputs: {scores: {type: uri_folder}}',
    // The fixture's first step writes nothing, so that this one gets an empty folder.
    'command: ls ${{inputs.data}} ${{inputs.model}} > ${{outputs.scores}}/${{inputs.how}}.txt',
  ].join('\n');
  await platform.json('component', 'create', '-f', platform.yaml(rate));
  const kelp = await makeBatchEndpoint(platform, 'kelp-batch');
  const folder = join(fixtures, 'azureml-yaml');
  await platform.json('batch-deployment', 'create', '-f', join(folder, '14-batch-deployment-pipeline.yml'));
  const invoke = ['invoke', '-n', 'kelp-batch', '-d', 'kelp-pipe', '-f', join(folder, '15-batch-invoke-inputs.yml')];
  const { name } = await platform.json<{ name: string }>('batch-endpoint', ...invoke);
  await kelp.reached(name, 'Completed');
  const listed = linesOf(readFileSync(place('out/run1/append.txt'), 'utf8'));
  expect(listed).toEqual(expect.arrayContaining([expect.stringMatching(/empty\/data:$/), 'MLmodel']));
  expect(await kelp.verified(name)).toMatchObject({ ok: true });
});

/** The process that batch jobs run in, or the one of a service. */
function processOf(service: string | undefined): number {
  const { children } = JSON.parse(readFileSync(join(platform.data, 'run/supervisor.json'), 'utf8')) as {
    children: { name: string; pid: number }[];
  };
  const wanted = service ?? (topology === 'single' ? 'platform' : 'control');
  const found = children.find(({ name }) => name === wanted);
  if (found === undefined)
    throw new Error(`no process '${wanted}' among ${children.map(({ name }) => name).join(', ')}`);
  return found.pid;
}
