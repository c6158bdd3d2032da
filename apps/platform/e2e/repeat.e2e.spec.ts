import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  endpointYaml,
  figure,
  fixtures,
  onnxYaml,
  parallel,
  scriptYaml,
  startPlatform,
  topology,
  until,
  type HttpAnswer,
  type Platform,
} from './harness.ts';

const edges = topology === 'default' ? 2 : 1;
/** Writes a line for each run, waits as long as it is told, and answers with the number of the run. */
const script = `
import json, os, time

def init():
    pass

def run(raw_data):
    asked = json.loads(raw_data)
    with open(os.environ["RUNS_FILE"], "a") as file:
        file.write(asked["id"] + "\\n")
    time.sleep(asked.get("ms", 0) / 1000)
    return {"id": asked["id"], "version": os.environ.get("VERSION", "1"), "pid": os.getpid(), "at": time.time_ns()}
`;
const codeFiles = { 'code/score.py': script };
let platform: Platform;
let key = '';
let runsFile = '';

/** A deployment that runs identical requests once and keeps the answers. */
function singleYaml(version: string): string {
  const more = [
    `environment_variables: {RUNS_FILE: ${runsFile}, WORKER_COUNT: "4", VERSION: "${version}"}`,
    'properties: {mooring.single-flight: "true", mooring.response-cache-ttl-ms: "60000"}',
  ];
  return platform.yaml(scriptYaml('again', 'single', 'code', 'score.py', more.join('\n')), codeFiles);
}

beforeAll(async () => {
  platform = await startPlatform({}, edges > 1 ? ['--edge', String(edges)] : []);
  runsFile = join(platform.data, 'runs.txt');
  await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('again')));
  const twice = (yaml: string): string => yaml.replace('instance_count: 1', 'instance_count: 2');
  const variables = `environment_variables: {RUNS_FILE: ${runsFile}, WORKER_COUNT: "4"}`;
  const deploy = (file: string): Promise<unknown> => platform.json('online-deployment', 'create', '-f', file);
  await deploy(platform.yaml(twice(scriptYaml('again', 'counted', 'code', 'score.py', variables)), codeFiles));
  await deploy(singleYaml('1'));
  const cache = 'properties: {mooring.response-cache-ttl-ms: "60000"}';
  await deploy(platform.yaml(onnxYaml('again', 'cached', join(fixtures, 'iris-onnx/model.onnx'), cache)));
  await platform.json('online-endpoint', 'update', '-n', 'again', '--traffic', 'counted=100');
  key = await platform.key('again');
});
afterAll(() => platform.remove());

/** One request on a connection of its own, which the kernel gives to one of the processes. */
function once(body: unknown, headers: Record<string, string> = {}, timeoutMs = 30_000): Promise<HttpAnswer> {
  const text = JSON.stringify(body);
  const started = performance.now();
  return new Promise((resolve) => {
    const done = (status: number, answered: Record<string, string>, content: Buffer): void =>
      resolve({ status, headers: answered, body: content, ms: performance.now() - started });
    const all = { authorization: `Bearer ${key}`, 'content-length': Buffer.byteLength(text), ...headers };
    const agent = new Agent({ keepAlive: false });
    const call = request(
      `${platform.http}/endpoints/again/score`,
      { method: 'POST', agent, headers: all },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', (error) => done(0, {}, Buffer.from(error.message)));
        response.on('end', () =>
          done(response.statusCode ?? 0, response.headers as Record<string, string>, Buffer.concat(chunks)),
        );
      },
    );
    call.on('error', (error) => done(0, {}, Buffer.from(error.message)));
    call.setTimeout(timeoutMs, () => call.destroy(new Error('no answer in time')));
    call.end(text);
  });
}

const keyed = (body: unknown, idempotencyKey: string): Promise<HttpAnswer> =>
  once(body, { 'idempotency-key': idempotencyKey });

/** How often the model ran for `id`, by its own account. */
function runs(id: string): number {
  if (!existsSync(runsFile)) return 0;
  return readFileSync(runsFile, 'utf8')
    .split('\n')
    .filter((line) => line === id).length;
}

const reasonOf = ({ body }: HttpAnswer): string => {
  const { error } = JSON.parse(body.toString()) as { error?: { reason: string } };
  return error?.reason ?? '';
};

interface Instance {
  id: string;
  pid: number;
  state: string;
}

async function instances(deployment: string): Promise<Instance[]> {
  const token = readFileSync(join(platform.data, 'secrets/admin.token'), 'utf8').trim();
  const workspace =
    '/subscriptions/local/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/default';
  const answer = await fetch(`${platform.management}${workspace}/onlineEndpoints/again/instances`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
  const { value } = (await answer.json()) as { value: (Instance & { deployment: string })[] };
  return value.filter((instance) => instance.deployment === deployment && instance.state === 'ready');
}

async function metric(name: string, label: string): Promise<{ process: string; value: number }[]> {
  const page = await (await fetch(`${platform.management}/metrics`, { signal: AbortSignal.timeout(10_000) })).text();
  return [...page.matchAll(new RegExp(`^${name}\\{(.*)\\} (\\S+)$`, 'gm'))]
    .filter(([, labels = '']) => labels.includes(label))
    .map(([, labels = '', value = '']) => ({
      process: /process="([^"]*)"/.exec(labels)?.[1] ?? '',
      value: Number(value),
    }));
}

it('one key is one run, whichever data-plane process is asked, and everybody gets the same bytes', async () => {
  const [id, idempotencyKey] = [randomUUID(), randomUUID()];
  const answers = await parallel(40, 8, () => keyed({ id, ms: 100 }, idempotencyKey));
  expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));
  expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(1);
  expect(answers.filter(({ headers }) => headers['idempotency-replayed'] !== 'true')).toHaveLength(1);
  expect(runs(id)).toBe(1);
  expect(new Set(answers.map(({ headers }) => headers['x-request-id'])).size).toBe(40);
  const asked = await metric('mooring_idempotency_total', 'result="');
  figure(
    `idempotency: 40 requests with one key over ${new Set(asked.map((each) => each.process)).size} processes, 1 run`,
  );
  expect(new Set(asked.map((each) => each.process)).size).toBe(edges);
});

it('one key with another body is 409, and no run', async () => {
  const [id, idempotencyKey] = [randomUUID(), randomUUID()];
  await keyed({ id }, idempotencyKey);
  const refused = await parallel(8, 4, () => keyed({ id, ms: 1 }, idempotencyKey));
  expect(refused.map(({ status }) => status)).toEqual(Array(8).fill(409));
  expect(new Set(refused.map(reasonOf))).toEqual(new Set(['IDEMPOTENCY_KEY_REUSED']));
  expect(runs(id)).toBe(1);
});

it.each([
  ['with a key, all are answered', true],
  ['without one, those that it had started are answered 503', false],
])('after kill -9 of a scorer: %s', async (_what, withKey) => {
  await until('two instances', async () => (await instances('counted')).length === 2, 90_000);
  const ids = Array.from({ length: 6 }, () => randomUUID());
  const sent = ids.map((id) => (withKey ? keyed({ id, ms: 2_000 }, randomUUID()) : once({ id, ms: 2_000 })));
  await until('all to run', async () => ids.every((id) => runs(id) === 1));
  const [victim] = await instances('counted');
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  const answers = await Promise.all(sent);
  const lost = answers.filter(({ status }) => status !== 200);
  figure(`kill -9 of a scorer ${withKey ? 'with' : 'without'} keys: ${ids.length} in flight, ${lost.length} lost`);
  if (withKey) {
    expect(lost).toEqual([]);
    expect(ids.some((id) => runs(id) === 2)).toBe(true);
  } else {
    expect(lost.length).toBeGreaterThan(0);
    expect(new Set(lost.map(({ status, body }) => `${status} ${body.toString().slice(0, 60)}`)).size).toBe(1);
    expect(lost.map(({ status }) => status)).toEqual(lost.map(() => 503));
    expect(new Set(lost.map(reasonOf))).toEqual(new Set(['INSTANCE_LOST']));
    expect(ids.every((id) => runs(id) === 1)).toBe(true);
  }
});

it.runIf(edges > 1)(
  'a request whose data-plane process is killed is answered when it is sent again with its key',
  async () => {
    await until('two instances', async () => (await instances('counted')).length === 2, 90_000);
    const file = join(platform.data, 'run/supervisor.json');
    const children = (): { name: string; pid: number }[] =>
      (JSON.parse(readFileSync(file, 'utf8')) as { children: { name: string; pid: number }[] }).children;
    const [id, idempotencyKey] = [randomUUID(), randomUUID()];
    const asked = Array.from({ length: 8 }, () => keyed({ id, ms: 3_000 }, idempotencyKey));
    await until('the run', async () => runs(id) === 1);
    const victim = children().find(({ name }) => name === 'edge-2');
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    const first = await Promise.all(asked);
    const again = await until('an answer', async () => {
      const answer = await keyed({ id, ms: 3_000 }, idempotencyKey);
      return answer.status === 200 && answer;
    });
    const answered = [...first.filter(({ status }) => status === 200), again];
    expect(new Set(answered.map(({ body }) => body.toString())).size).toBe(1);
    expect(runs(id)).toBeLessThanOrEqual(2);
    const broken = first.filter(({ status }) => status !== 200).length;
    figure(`kill -9 of a data-plane process: ${broken} of 8 connections broken, ${runs(id)} runs, one answer`);
  },
);

it('a response cache gives the same bytes again and counts it; another request runs', async () => {
  const pin = { 'azureml-model-deployment': 'cached', 'content-type': 'application/json' };
  const rows = { data: [[5.1, 3.5, 1.4, 0.2]] };
  const answers = await parallel(30, 3, () => once(rows, pin));
  expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200));
  expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(1);
  const said = answers.map(({ headers }) => headers['x-mooring-cache'] ?? '');
  const misses = said.filter((word) => word === 'miss').length;
  expect(said.filter((word) => word === 'hit').length).toBe(30 - misses);
  // Each process has its own, and requests that come at once before there is an answer run.
  expect(misses).toBeLessThanOrEqual(edges * 3);
  const other = await once({ data: [[6.3, 3.3, 6.0, 2.5]] }, pin);
  expect([other.status, other.headers['x-mooring-cache']]).toEqual([200, 'miss']);
  const sum = (values: { value: number }[]): number => values.reduce((total, { value }) => total + value, 0);
  expect(sum(await metric('mooring_response_cache_total', 'deployment="cached",result="hit"'))).toBe(30 - misses);
  await until('the bytes in the metrics', async () => sum(await metric('mooring_response_cache_bytes', 'cached')) > 0);
  const shown = await platform.json<{ properties: Record<string, string> }>(
    'online-deployment',
    'show',
    '-n',
    'cached',
    '-e',
    'again',
  );
  expect(shown.properties['mooring.response-cache-ttl-ms']).toBe('60000');
});

it('after a roll, no request is answered by the model before it', async () => {
  const pin = { 'azureml-model-deployment': 'single' };
  const version = ({ body }: HttpAnswer): string => (JSON.parse(body.toString()) as { version: string }).version;
  const id = randomUUID();
  const before = await parallel(20, 4, () => once({ id }, pin));
  expect(new Set(before.map(version))).toEqual(new Set(['1']));
  expect(before.filter(({ headers }) => headers['x-mooring-cache'] === 'hit').length).toBeGreaterThan(10);
  await platform.json('online-deployment', 'update', '-f', singleYaml('2'));
  const after = await parallel(20, 4, () => once({ id }, pin));
  expect(new Set(after.map(version))).toEqual(new Set(['2']));
});

it('identical requests that are in flight at once run once for each process', async () => {
  const id = randomUUID();
  const pin = { 'azureml-model-deployment': 'single' };
  const answers = await Promise.all(Array.from({ length: 12 }, () => once({ id, ms: 1_500 }, pin)));
  expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
  const said = answers.map(({ headers }) => headers['x-mooring-cache']);
  expect(said.filter((word) => word === 'miss').length).toBe(runs(id));
  expect(said.filter((word) => word === 'shared').length).toBe(12 - runs(id));
  expect(runs(id)).toBeLessThanOrEqual(edges);
});

it.each([
  ['mooring.response-cache-ttl-ms: "soon"', 'a whole number'],
  ['mooring.single-flight: "maybe"', 'true or false'],
  ['mooring.response-cache-bytes-max: "1000000"', 'mooring.response-cache-ttl-ms beside it'],
])('refuses %s and says what would be right', async (property, expected) => {
  const yaml = onnxYaml('again', 'bad', join(fixtures, 'iris-onnx/model.onnx'), `properties: {${property}}`);
  const { code, stderr } = await platform.mooring('online-deployment', 'create', '-f', platform.yaml(yaml));
  expect(code).toBe(2);
  expect(stderr).toContain(expected);
});
