import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, startPlatform, topology, until, type Platform } from './harness.ts';

interface JobShape {
  name: string;
  status: string;
  progress: { succeeded: number; failed: number };
  settings: Record<string, unknown>;
  inputs: Record<string, { type: string; path: string }>;
}

/** Says the name of each file. Holds while the file `hold` is there; fails while `fail` is. */
const script = (folder: string): string =>
  [
    'import os, time',
    'def init():',
    '    pass',
    'def run(mini_batch):',
    `    while os.path.exists("${folder}/hold"):`,
    '        time.sleep(0.02)',
    `    if os.path.exists("${folder}/fail"):`,
    '        raise RuntimeError("told to fail")',
    '    return [os.path.basename(path) for path in mini_batch]',
    '',
  ].join('\n');

let platform: Platform;
let work: string;
const at = (...path: string[]): string => join(work, ...path);

beforeAll(async () => {
  platform = await startPlatform();
  work = join(platform.data, 'work');
  mkdirSync(at('files/deep'), { recursive: true });
  for (let index = 0; index < 20; index += 1) writeFileSync(at('files', `${String(index).padStart(2, '0')}.txt`), 'x');
  writeFileSync(at('files/deep/x.csv'), 'y');
  await platform.json('batch-endpoint', 'create', '-n', 'night');
  const deployment = [
    'name: names',
    'endpoint_name: night',
    'type: model',
    'model: {path: model}',
    'code_configuration: {code: code, scoring_script: driver.py}',
    'environment: {image: "mcr.microsoft.com/azureml/minimal:1", conda_file: {dependencies: [python=3.11]}}',
    'compute: azureml:pool',
    'settings: {mini_batch_size: 5, retry_settings: {max_retries: 0, timeout: 60}}',
  ].join('\n');
  const file = platform.yaml(deployment, { 'model/weights': 'w', 'code/driver.py': script(work) });
  await platform.json('batch-deployment', 'create', '-f', file, '--set-default');
});
afterAll(() => platform.remove());

const mooring = (line: string, ...more: string[]) => platform.mooring(...line.split(' '), ...more);

async function invoked(...flags: string[]): Promise<JobShape> {
  return platform.json<JobShape>('batch-endpoint', 'invoke', '-n', 'night', ...flags);
}

describe(`jobs by command (${topology} topology)`, () => {
  it('reads a folder of this machine, is followed to its end, proven and brought home', async () => {
    const invoke = await mooring('batch-endpoint invoke -n night --job-name all --stream --input', at('files'));
    expect(invoke).toMatchObject({ code: 0, stderr: expect.stringContaining('Completed: 21 of 21 items') });
    expect(JSON.parse(invoke.stdout)).toMatchObject({ name: 'all', status: 'Completed' });
    expect(await mooring('job verify -n all')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('21 items in = 21 succeeded + 0 failed + 0 skipped'),
    });
    await platform.json('job', 'download', '-n', 'all', '-p', at('got'));
    const got = at('got/named-outputs/score');
    expect(readdirSync(got).toSorted()).toEqual([
      'errors.jsonl',
      'manifest.json',
      'parts.jsonl',
      'predictions.csv',
      'summary.json',
    ]);
    const names = [...Array.from({ length: 20 }, (_, index) => `${String(index).padStart(2, '0')}.txt`), 'x.csv'];
    expect(readFileSync(join(got, 'predictions.csv'), 'utf8')).toBe(`${names.join('\n')}\n`);
  });

  it('reads a pattern, a data asset, and a file of inputs with overrides', async () => {
    await platform.json('data', 'create', '-n', 'texts', '-p', at('files'));
    const file = platform.yaml('inputs: {raw: {type: uri_folder, path: none}}\nmini_batch_size: 2\n');
    const jobs = [
      await invoked('--input', at('files/**/*.csv'), '-b', '1'),
      await invoked('--input', 'azureml:texts@latest'),
      await invoked(
        '-f',
        file,
        '--set',
        `inputs.raw.path=${at('files/*.txt')}`,
        '--output-path',
        'azureml://datastores/workspaceblobstore/paths/out',
      ),
    ];
    const settings = jobs.map((job) => job.settings['mini_batch_size']);
    expect(settings).toEqual([1, 5, 2]);
    const items: string[] = [];
    for (const { name } of jobs) items.push((await mooring(`job stream -n ${name}`)).stderr.split('\n').at(-2) ?? '');
    expect(items.map((line) => /Completed: \d+ of \d+/.exec(line)?.[0])).toEqual([
      'Completed: 1 of 1',
      'Completed: 21 of 21',
      'Completed: 20 of 20',
    ]);
    const listed = await platform.json<JobShape[]>(
      'batch-deployment',
      'list-jobs',
      '-e',
      'night',
      '-n',
      'names',
      '-r',
      '3',
    );
    expect(listed.map(({ name }) => name)).toEqual(jobs.map(({ name }) => name).toReversed());
    expect(existsSync(join(platform.data, 'artifacts/workspaceblobstore/out/predictions.csv'))).toBe(true);
  });

  it('goes on when nobody watches any more, keeps what it did when cancelled, and runs the rest when resumed', async () => {
    writeFileSync(at('hold'), '');
    await invoked('--input', at('files'), '--job-name', 'long');
    const watcher = spawn(process.execPath, [join(root, 'apps/cli/src/main.ts'), 'job', 'stream', '-n', 'long'], {
      env: { ...process.env, MOORING_DATA: platform.data },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    watcher.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = new Promise<number | null>((resolve) => watcher.on('close', resolve));
    await until('the watcher to say that it runs', async () => said.includes('Running'));
    watcher.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(said).toContain("No longer watching; the job 'long' goes on.");
    expect((await platform.json<JobShape>('job', 'show', '-n', 'long')).status).toBe('Running');
    expect(await mooring('job download -n long')).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/^JOB_NOT_ENDED/),
    });
    await platform.json('job', 'cancel', '-n', 'long');
    rmSync(at('hold'));
    expect(await mooring('job stream -n long')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('JOB_CANCELED'),
    });
    await platform.json('job', 'resume', '-n', 'long');
    expect(await mooring('job stream -n long')).toMatchObject({ code: 0 });
    expect(await mooring('job verify -n long')).toMatchObject({ code: 0 });
  });

  it('says why a job failed, and ends with another code', async () => {
    writeFileSync(at('fail'), '');
    const flags = ['--set', 'error_threshold=0', '--job-name', 'bad', '--stream'];
    const failed = await mooring('batch-endpoint invoke -n night --input', at('files'), ...flags);
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/JOB_FAILED: .*ErrorThresholdExceeded/) });
    expect((await mooring('job get-logs -n bad')).stdout).toContain('told to fail');
    rmSync(at('fail'));
  });

  it('tells an output that is not what was written, and brings none of it home', async () => {
    appendFileSync(join(platform.data, 'artifacts/workspaceblobstore/azureml/all/score/predictions.csv'), 'more\n');
    expect(await mooring('job verify -n all')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('NOT proven'),
      stderr: expect.stringContaining('OUTPUT_NOT_PROVEN'),
    });
    expect(await mooring('job download -n all -p', at('other'))).toMatchObject({ code: 5 });
    expect(existsSync(at('other/named-outputs/score/predictions.csv'))).toBe(false);
  });

  it('makes one job of one name, and refuses the name to another request', async () => {
    const same = ['--input', 'azureml:texts:1', '--job-name', 'once'];
    expect((await invoked(...same)).name).toBe('once');
    expect((await invoked(...same)).name).toBe('once');
    expect(await mooring('batch-endpoint invoke -n night', ...same, '-b', '3')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('JOB_EXISTS'),
    });
    expect((await platform.json<JobShape[]>('job', 'list')).filter(({ name }) => name === 'once')).toHaveLength(1);
  });

  it('runs a pipeline of registered components, given files and a value, and brings each output home', async () => {
    const environment =
      'environment: {image: "mcr.microsoft.com/azureml/minimal:1", conda_file: {dependencies: [python=3.11]}}';
    const component = [
      'name: join-lines',
      'type: command',
      'inputs: {data: {type: uri_folder}, mark: {type: string}}',
      'outputs: {joined: {type: uri_folder}}',
      environment,
      'code: src',
      'command: python join.py ${{inputs.data}} ${{inputs.mark}} ${{outputs.joined}}',
    ].join('\n');
    const program = [
      'import os, sys',
      'source, mark, target = sys.argv[1:]',
      'names = [name for name in sorted(os.listdir(source)) if name.endswith(".txt")]',
      'os.makedirs(target, exist_ok=True)',
      'open(os.path.join(target, "all.txt"), "w").write(mark.join(names))',
    ].join('\n');
    const pipeline = [
      'name: twice',
      'type: pipeline',
      'inputs: {raw: {type: uri_folder}, mark: {type: string, default: ","}}',
      'outputs: {once: {type: uri_folder}, again: {type: uri_folder}}',
      'jobs:',
      '  first:',
      '    type: command',
      '    component: azureml:join-lines@latest',
      '    inputs: {data: "${{parent.inputs.raw}}", mark: "${{parent.inputs.mark}}"}',
      '    outputs: {joined: "${{parent.outputs.once}}"}',
      '  second:',
      '    type: command',
      '    component: azureml:join-lines@latest',
      '    inputs: {data: "${{parent.jobs.first.outputs.joined}}", mark: "${{parent.inputs.mark}}"}',
      '    outputs: {joined: "${{parent.outputs.again}}"}',
    ].join('\n');
    await platform.json('component', 'create', '-f', platform.yaml(component, { 'src/join.py': program }));
    await platform.json('component', 'create', '-f', platform.yaml(pipeline));
    const deployment = 'name: pipe\nendpoint_name: night\ntype: pipeline\ncomponent: azureml:twice@latest\n';
    await platform.json('batch-deployment', 'create', '-f', platform.yaml(deployment));
    const inputs = ['--set', `inputs.raw.path=${at('files')}`, 'inputs.mark=+', '--job-name', 'piped', '--stream'];
    const job = await mooring('batch-endpoint invoke -n night -d pipe', ...inputs);
    expect(job).toMatchObject({ code: 0, stderr: expect.stringContaining('Completed: 2 of 2 steps') });
    expect(await mooring('job verify -n piped')).toMatchObject({ code: 0 });
    const steps = await platform.json<{ name: string }[]>('job', 'list', '-p', 'piped');
    expect(steps).toMatchObject([
      { name: 'piped:first', status: 'Completed' },
      { name: 'piped:second', status: 'Completed' },
    ]);
    await platform.json('job', 'download', '-n', 'piped', '-p', at('piped'));
    const home = (file: string): string => readFileSync(at('piped/named-outputs', file), 'utf8');
    expect(home('once/all.txt').split('+')).toHaveLength(20);
    expect(home('again/all.txt')).toBe('all.txt');
  });

  it('loses its default only when that is asked for, and then says so', async () => {
    await platform.json('batch-endpoint', 'update', '-n', 'night', '--set', 'tags.a=b');
    await platform.json('batch-endpoint', 'create', '-n', 'night');
    expect(await platform.json('batch-endpoint', 'show', '-n', 'night')).toMatchObject({
      defaults: { deployment_name: 'names' },
    });
    await platform.json('batch-endpoint', 'update', '-n', 'night', '--remove', 'defaults.deployment_name');
    expect(await mooring('batch-endpoint invoke -n night --input azureml:texts:1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('NO_DEFAULT_DEPLOYMENT'),
    });
    await platform.json('batch-endpoint', 'update', '-n', 'night', '--defaults', 'deployment_name=names');
    await invoked('--input', 'azureml:texts:1');
  });
});
