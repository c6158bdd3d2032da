import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { linesOf, makeBatchEndpoint, type BatchEndpoint } from './batch.ts';
import { figure, startPlatform, topology, type Platform } from './harness.ts';

let platform: Platform;
let batch: BatchEndpoint;
let bad = 0;

/** Does with each file what that file says. */
const script = `
import os, signal, sys, time

class Nameless:
    def __str__(self):
        raise RuntimeError("told to have no name")

class Tabled:
    def tolist(self):
        return 5
    def __len__(self):
        return 1

def deep():
    return deep()

def init():
    how = os.environ.get("INIT", "")
    if how == "raise":
        raise RuntimeError("told not to begin")
    if how == "exit":
        os._exit(3)
    if how == "sys-exit":
        sys.exit("told to leave")

def run(mini_batch):
    out = []
    for path in mini_batch:
        with open(path, "rb") as file:
            told = file.read().decode("latin-1").strip()
        if told == "raise":
            raise ValueError("told to raise")
        elif told == "raise-base":
            raise BaseException("told to raise more")
        elif told == "interrupt":
            raise KeyboardInterrupt
        elif told == "deep":
            deep()
        elif told == "sys-exit":
            sys.exit("told to leave")
        elif told == "exit":
            os._exit(7)
        elif told == "abort":
            os.abort()
        elif told == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif told == "hang":
            time.sleep(3600)
        elif told == "hang-for-good":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                try:
                    time.sleep(3600)
                except BaseException:
                    pass
        elif told == "dict":
            return {"n": 1}
        elif told == "text":
            return "text"
        elif told == "bytes":
            return b"bytes"
        elif told == "none":
            return None
        elif told == "number":
            return 5
        elif told == "generator":
            return (path for path in mini_batch)
        elif told == "tabled":
            return Tabled()
        elif told == "nameless":
            out.append(Nameless())
        elif told == "surrogate":
            out.append("\\udc80")
        elif told == "fork":
            if os.fork() == 0:
                os._exit(0)
            out.append("fork")
        elif told == "skip":
            pass
        elif told == "lines":
            out.append("two\\nlines")
        elif told == "much":
            print("x" * 5_000_000)
            out.append("much")
        else:
            out.append(told)
    return out
`;

const deployment = (name: string, init = '', more = ''): string =>
  [
    `name: ${name}`,
    'endpoint_name: ill',
    'type: model',
    'model: {path: model}',
    'code_configuration: {code: code, scoring_script: score.py}',
    'environment: {image: "mcr.microsoft.com/azureml/minimal:1"}',
    'compute: azureml:pool',
    'resources: {instance_count: 2}',
    `settings: {mini_batch_size: 1, retry_settings: {max_retries: 0, timeout: 2}, environment_variables: {INIT: "${init}"}${more}}`,
  ].join('\n');

async function deploy(name: string, code: string, init = ''): Promise<void> {
  const path = platform.yaml(deployment(name, init), { 'code/score.py': code, 'model/weights.txt': 'none' });
  await platform.json('batch-deployment', 'create', '-f', path);
}

function inputOf(name: string, files: Readonly<Record<string, string | Buffer>>): object {
  const folder = join(platform.data, 'artifacts/inputs', name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return { files: { jobInputType: 'UriFolder', uri: `azureml://datastores/inputs/paths/${name}` } };
}

beforeAll(async () => {
  platform = await startPlatform();
  batch = await makeBatchEndpoint(platform, 'ill');
  await Promise.all([
    deploy('told', script),
    ...['raise', 'exit', 'sys-exit'].map((how) => deploy(`init-${how}`, script, how)),
    deploy('no-run', 'def init():\n    pass\n'),
    deploy('import', 'import nothing_of_that_name\n\ndef init():\n    pass\n\ndef run(b):\n    return b\n'),
  ]);
});
afterAll(async () => {
  figure(`D7 ${topology} ${bad} bad invocations, scripts and files: each told, none lost`);
  await platform.remove();
});

it('says of every way in which a script can fail what happened, and loses nothing else', async () => {
  const tellings = {
    raise: 'ScriptRaised',
    'raise-base': 'ScriptRaised',
    interrupt: 'ScriptRaised',
    deep: 'ScriptRaised',
    'sys-exit': 'ScriptRaised',
    exit: 'ScriptExited',
    abort: 'ScriptExited',
    killed: 'ScriptExited',
    hang: 'ScriptTimedOut',
    'hang-for-good': 'ScriptTimedOut',
    dict: 'ScriptRaised',
    text: 'ScriptRaised',
    bytes: 'ScriptRaised',
    none: 'ScriptRaised',
    number: 'ScriptRaised',
    generator: 'ScriptRaised',
    tabled: 'ScriptRaised',
    nameless: 'ScriptRaised',
    skip: 'ScriptReturnedFewer',
  };
  const fine = { fork: 'fork', lines: 'two\\nlines', much: 'much', plain: 'plain', surrogate: '\\udc80' };
  const all = [...Object.keys(tellings), ...Object.keys(fine)];
  const files = Object.fromEntries(all.map((told) => [told, told]));
  const headers = { 'azureml-model-deployment': 'told' };
  const name = await batch.started(batch.invoke({ properties: { inputData: inputOf('told', files) } }, headers));
  const { properties } = await batch.reached(name, 'Completed');
  const failed = Object.keys(tellings).length;
  bad += failed;
  const lines = linesOf(batch.outputFile(name, 'errors.jsonl')).map(
    (line) => JSON.parse(line) as Record<string, string>,
  );
  expect(Object.fromEntries(lines.map(({ source, reason }) => [source, reason]))).toEqual(tellings);
  for (const { message } of lines) expect(message).toMatch(/\w/);
  expect(properties.mooring.progress).toMatchObject({ succeeded: Object.keys(fine).length, failed, skipped: 0 });
  const wanted = Object.keys(fine)
    .toSorted()
    .map((told) => fine[told as keyof typeof fine]);
  expect(linesOf(batch.outputFile(name, 'predictions.csv'))).toEqual(wanted);
  expect(await batch.verified(name)).toMatchObject({ ok: true, missing: 0, twice: 0 });
});

it.each([
  ['init-raise', /told not to begin/],
  ['init-exit', /3/],
  ['init-sys-exit', /told to leave/],
  ['no-run', /run/],
  ['import', /nothing_of_that_name/],
])('fails a job whose script cannot begin (%s), and says why', async (name, why) => {
  const headers = { 'azureml-model-deployment': name };
  const job = await batch.started(batch.invoke({ properties: { inputData: inputOf('one', { a: 'a' }) } }, headers));
  const { properties } = await batch.reached(job, 'Failed');
  bad += 1;
  expect(properties.mooring.error).toMatchObject({
    code: expect.stringMatching(/\w/),
    message: expect.stringMatching(why),
  });
  expect(await batch.verified(job)).toMatchObject({ ok: true, items: { in: 1, skipped: 1 } });
});

const data = (uri: unknown, jobInputType: unknown = 'UriFolder'): object => ({
  inputData: { a: { jobInputType, uri } },
});
const fine = 'azureml://datastores/inputs/paths/one';
const withSetting = (more: object): object => ({ properties: { ...data(fine), ...more } });

const refused: [string, unknown][] = [
  ['no body', ''],
  ['no JSON', '{"properties"'],
  ['a list', []],
  ['a text', '"job"'],
  ['null', 'null'],
  ['a number', '5'],
  ['nothing of a job', {}],
  ['100,000 brackets', '['.repeat(100_000)],
  ['50,000 objects in each other', `${'{"properties":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
  ['more than 1 MiB', withSetting({ description: 'x'.repeat(2 ** 20) })],
  ['properties that are no object', { properties: 5 }],
  ['no properties', { properties: null }],
  ['no input', { properties: {} }],
  ['an input that is null', { properties: { inputData: null } }],
  ['inputs that are a number', { properties: { inputData: 5 } }],
  ['inputs that are a list', { properties: { inputData: [{ uri: fine }] } }],
  ['no input among inputs', { properties: { inputData: {} } }],
  ['an input that is null among inputs', { properties: { inputData: { a: null } } }],
  ['an input that is a text', { properties: { inputData: { a: fine } } }],
  ['an input with a long name', { properties: { inputData: inputs('a'.repeat(1_000_000)) } }],
  ['a long tag', withSetting({ tags: { a: 'x'.repeat(1_000_000) } })],
  ['a tag with a long name', withSetting({ tags: { ['x'.repeat(1_000_000)]: 'a' } })],
  ['two inputs', { properties: { inputData: { ...inputs('a'), ...inputs('b') } } }],
  ...[undefined, null, 'Literal', 'MLTable', 'TritonModel', 5, {}, ''].map((type): [string, unknown] => [
    `the input type ${JSON.stringify(type)}`,
    { properties: { inputData: { a: { jobInputType: type, uri: fine } } } },
  ]),
  ...[
    undefined,
    null,
    '',
    5,
    {},
    '/etc',
    '../../etc',
    './photos',
    'file:///etc/passwd',
    'C:\\photos',
    'ftp://example.org/a.csv',
    'azureml:',
    'azureml:photos',
    'azureml:a:b:c',
    'azureml://datastores/inputs',
    'azureml://datastores/inputs/paths/../../secrets',
    'azureml://datastores/inputs/paths/a/./b',
    'azureml://datastores/../paths/secrets',
    'azureml://datastores/.seals/paths/x',
    'azureml://datastores/inputs/paths/a\u0000b',
    'azureml://datastores/inputs/paths/a\\b',
    `azureml://datastores/inputs/paths/${'x'.repeat(5_000)}`,
    'wasbs://container@account.blob.core.windows.net/x',
  ].map((uri): [string, unknown] => [`the input ${JSON.stringify(uri)?.slice(0, 60)}`, { properties: data(uri) }]),
  ...Object.entries({
    miniBatchSize: [0, -1, 1.5, 'x', 100_001, {}, true],
    errorThreshold: [-2, 1.5, 'x', []],
    compute: [5, { instanceCount: 0 }, { instanceCount: 65 }, { instanceCount: 'many' }],
    retrySettings: [
      'x',
      { maxRetries: -1 },
      { maxRetries: 101 },
      { timeout: 0 },
      { timeout: 'PT0S' },
      { timeout: 'P1X' },
    ],
    loggingLevel: ['loud', 5],
    outputAction: ['shout', 5],
    outputFileName: [
      '',
      '.',
      '..',
      '../x.csv',
      'a/b.csv',
      'a\\b.csv',
      'a\nb',
      'x'.repeat(300),
      'manifest.json',
      'ERRORS.jsonl',
      5,
    ],
    outputData: [
      5,
      { a: { uri: 5 } },
      { a: { uri: 'https://example.org/x' } },
      { a: { uri: '/tmp/out' } },
      { a: { uri: 'azureml:photos:1' } },
      { a: { uri: 'azureml://datastores/out/paths/../x' } },
      { a: { uri: 'azureml://datastores/../paths/x' } },
      { a: { uri: 'azureml://datastores/out/paths/' } },
      { a: { jobOutputType: 'UriFile', uri: 'azureml://datastores/out/paths/x/manifest.json' } },
      { a: { uri: 'azureml://datastores/out/paths/a' }, b: { uri: 'azureml://datastores/out/paths/b' } },
    ],
    name: ['', ' ', '../x', 'a/b', 'a b', '-a', 'x'.repeat(65), 5, {}],
    tags: [5, [], { a: 1 }, Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`t${index}`, '']))],
    displayName: [5, 'x'.repeat(2_000)],
    experimentName: [5],
    properties: [5, 'x'],
  }).flatMap(([field, values]) =>
    values.map((value): [string, unknown] => [
      `${field} ${JSON.stringify(value).slice(0, 60)}`,
      withSetting({ [field]: value }),
    ]),
  ),
];

function inputs(name: string): object {
  return { [name]: { jobInputType: 'UriFolder', uri: fine } };
}

it(`refuses ${refused.length} requests, each with what is wrong and nothing of our inside`, async () => {
  const headers = { 'azureml-model-deployment': 'told' };
  for (const [what, body] of refused) {
    const answer = await batch.invoke(body, headers);
    const text = answer.body.toString();
    expect.soft([what, answer.status], text.slice(0, 500)).toEqual([what, what.startsWith('more than') ? 413 : 400]);
    const { error } = JSON.parse(text) as { error?: { reason: string; message: string } };
    expect.soft(error?.reason, what).toMatch(/^[A-Z_]+$/);
    expect.soft(error?.message, what).toMatch(/\w/);
    expect.soft(text, what).not.toMatch(/\n +at |node_modules|\.ts:/);
    bad += 1;
  }
});

it.each([
  [{}, 400, 'NO_DEFAULT_DEPLOYMENT'],
  [{ 'azureml-model-deployment': 'nobody' }, 404, 'DEPLOYMENT_NOT_FOUND'],
  [{ 'azureml-model-deployment': 'told', 'Idempotency-Key': 'k'.repeat(256) }, 400, 'IDEMPOTENCY_KEY_INVALID'],
  [{ 'azureml-model-deployment': 'told', 'content-encoding': 'gzip' }, 400, undefined],
  [{ 'azureml-model-deployment': 'told', 'content-encoding': 'rot13' }, 415, undefined],
  [{ 'azureml-model-deployment': 'told', authorization: 'Bearer wrong' }, 401, 'KEY_INVALID'],
])('refuses a request for its headers: %.80j', async (headers, status, reason) => {
  const { authorization, ...others } = headers as Record<string, string>;
  const key = authorization === undefined ? batch.key : 'wrong';
  const body = JSON.stringify({ properties: data(fine) });
  const answer = await platform.send('/endpoints/ill/jobs', { key, headers: others, body });
  expect(answer.status, answer.body.toString()).toBe(status);
  if (reason !== undefined) expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { reason } });
  bad += 1;
});

it.each([
  ['a folder that is not there', data('azureml://datastores/inputs/paths/nothing')],
  ['a container that is not there', data('azureml://datastores/nothing/paths/nothing')],
  ['a data asset that is not there', data('azureml:nothing:1')],
  ['one of which there is no version', data('azureml:nothing@latest')],
  ['a folder that is empty', data('azureml://datastores/inputs/paths/empty')],
])('fails a job over %s, and says so', async (_what, properties) => {
  mkdirSync(join(platform.data, 'artifacts/inputs/empty'), { recursive: true });
  const job = await batch.started(batch.invoke({ properties }, { 'azureml-model-deployment': 'told' }));
  const failed = await batch.reached(job, 'Failed');
  expect(failed.properties.mooring.error).toMatchObject({
    code: expect.stringMatching(/\w/),
    message: expect.stringMatching(/\w/),
  });
  bad += 1;
});

it('gives an error to each file that cannot be read as what it was listed as, and scores the others', async () => {
  const input = inputOf('odd', { plain: 'plain', empty: '', 'with blank': 'blank' });
  const folder = join(platform.data, 'artifacts/inputs/odd');
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/not-`), Buffer.from([0xff, 0xfe])]), 'x');
  writeFileSync(join(folder, 'line\nend'), 'line');
  symlinkSync('/etc/passwd', join(folder, 'link'));
  symlinkSync(join(platform.data, 'secrets'), join(folder, 'links'));
  symlinkSync('link-of-itself', join(folder, 'link-of-itself'));
  const job = await batch.started(
    batch.invoke({ properties: { inputData: input } }, { 'azureml-model-deployment': 'told' }),
  );
  await batch.reached(job, 'Completed');
  const errors = linesOf(batch.outputFile(job, 'errors.jsonl')).map(
    (line) => JSON.parse(line) as Record<string, string>,
  );
  const link = 'is a link, which is not followed';
  expect(errors.map(({ source, reason, message }) => [source, reason, message])).toEqual([
    ['link', 'FileUnreadable', link],
    ['link-of-itself', 'FileUnreadable', link],
    ['links', 'FileUnreadable', link],
    ['not-\ufffd\ufffd', 'FileUnreadable', 'has a name that is not UTF-8'],
  ]);
  // The empty file is told nothing, and says it.
  expect(batch.outputFile(job, 'predictions.csv').split('\n')).toEqual(['', 'line', 'plain', 'blank', '']);
  bad += errors.length;
  expect(await batch.verified(job)).toMatchObject({ ok: true, missing: 0, twice: 0 });
});
