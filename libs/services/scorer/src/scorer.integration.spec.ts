import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { HealthClient } from '@mooring/contracts/health';
import { Operation, Protocol } from '@mooring/contracts/scoring';
import { readMooringSettings, type InstanceSpec, type InstanceStatus } from '@mooring/domain';
import { createClient } from '@mooring/rpc';
import { openScoringStream, type ScoringStream } from '@mooring/scoring-stream';
import { eventually, fixture, tempDir, type TempDir } from '@mooring/testing';
import { never, scoreCall } from './testing/calls.ts';

const main = fileURLToPath(new URL('../../../../apps/scorer/src/main.ts', import.meta.url));
const log = pino({ enabled: false });
const serving = 1;
const notServing = 2;

interface ScorerProcess {
  child: ChildProcess;
  spec: InstanceSpec;
  output: () => string;
  exit: Promise<number | null>;
  status: () => InstanceStatus | undefined;
}

let folder: TempDir;
let cleanUps: (() => Promise<unknown> | void)[];

beforeEach(() => {
  folder = tempDir();
  cleanUps = [];
});
afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  folder.remove();
});

function specOf(model: string, fields: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    instanceId: 'flowers-blue-1',
    endpoint: 'flowers',
    deployment: 'blue',
    socketPath: join(folder.path, 's.sock'),
    instanceDir: join(folder.path, 'instance'),
    // Not through fixture(): some models must not be there.
    runtime: { kind: 'onnx', file: join(fixture('slow-and-bad'), '..', model) },
    environmentVariables: {},
    requestSettings: { requestTimeoutMs: 5_000, maxConcurrentRequestsPerInstance: 4, maxQueueWaitMs: 500 },
    settings: readMooringSettings({}).settings,
    threads: 1,
    orphanTimeoutMs: 60_000,
    ...fields,
  };
}

function startProcess(spec: InstanceSpec | string, environment: NodeJS.ProcessEnv = {}): ScorerProcess {
  const child = spawn(process.execPath, [main], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...environment },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  cleanUps.push(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await exit;
  });
  child.stdin?.end(typeof spec === 'string' ? spec : JSON.stringify(spec));
  const parsed = (typeof spec === 'string' ? {} : spec) as InstanceSpec;
  const file = join(parsed.instanceDir ?? folder.path, 'status.json');
  const status = (): InstanceStatus | undefined =>
    existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  return { child, spec: parsed, output: () => output, exit, status };
}

async function startReady(
  model: string,
  fields: Partial<InstanceSpec> = {},
): Promise<ScorerProcess & { stream: ScoringStream }> {
  const scorer = startProcess(specOf(model, fields));
  await eventually(() => scorer.status()?.state === 'ready', { timeoutMs: 20_000 });
  const stream = openScoringStream({ address: `unix:${scorer.spec.socketPath}`, log });
  cleanUps.push(() => stream.close(AbortSignal.timeout(100)));
  await stream.whenReady(AbortSignal.timeout(5_000));
  return { ...scorer, stream };
}

function healthOf({ spec }: ScorerProcess, service = ''): Promise<number> {
  const client = createClient(HealthClient, `unix:${spec.socketPath}`);
  return client
    .call('check', { service })
    .then(({ status }) => status)
    .finally(() => client.close());
}

const iris = scoreCall({ body: Buffer.from('{"data":[[5.1,3.5,1.4,0.2]]}') });
const heavy = (loops: number, fields: object = {}): ReturnType<typeof scoreCall> =>
  scoreCall({ body: Buffer.from(JSON.stringify({ data: { x: [[0.1, 0.2, 0.3, 0.4]], loops } })), ...fields });

describe('a scorer process', () => {
  it('loads, tells health and status.json, scores, drains on SIGTERM and exits 0', async () => {
    const scorer = await startReady('iris-onnx/model.onnx');
    expect(scorer.status()).toMatchObject({ state: 'ready', placement: { chosen: 'inline' } });
    expect(await healthOf(scorer)).toBe(serving);
    expect(await healthOf(scorer, 'liveness')).toBe(serving);
    expect(scorer.stream.hello).toMatchObject({ instanceId: 'flowers-blue-1', wantsHeaders: false });
    const answer = await scorer.stream.score(iris, never);
    expect(JSON.parse(answer.body.toString()).label).toEqual([0]);
    expect(answer).toMatchObject({ status: 200, deployment: 'blue', instanceId: 'flowers-blue-1' });
    const ready = await scorer.stream.score(
      scoreCall({ operation: Operation.OPERATION_READY, protocol: Protocol.PROTOCOL_OIP_REST }),
      never,
    );
    expect(JSON.parse(ready.body.toString())).toEqual({ name: 'flowers', ready: true });
    expect(scorer.output()).toMatch(/\d{4}-\d\d-\d\d [\d:,]+ I \[\d+\] mooring - model loaded in \d+ ms\n/);
    scorer.child.kill('SIGTERM');
    expect(await scorer.exit).toBe(0);
  });

  it('finishes open calls before it ends, and refuses new ones as not started', async () => {
    const scorer = await startReady('slow-and-bad/models/heavy-adjustable.onnx');
    const open = [1, 2, 3, 4].map(() => scorer.stream.score(heavy(100), never));
    // They came together, so the first answer says that all have arrived.
    await Promise.race(open);
    scorer.child.kill('SIGTERM');
    expect((await Promise.all(open)).map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    const refused = await scorer.stream.score(heavy(1), never);
    expect(refused).toMatchObject({ errorCode: 'unavailable', started: false });
    expect(await scorer.exit).toBe(0);
  });

  it('refuses what is beyond twice its concurrency, and answers the rest', async () => {
    const scorer = await startReady('slow-and-bad/models/heavy-adjustable.onnx', {
      requestSettings: { requestTimeoutMs: 30_000, maxConcurrentRequestsPerInstance: 2, maxQueueWaitMs: 500 },
    });
    const answers = await Promise.all(Array.from({ length: 12 }, () => scorer.stream.score(heavy(30), never)));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(4);
    const refused = answers.filter((answer) => answer.errorCode !== '');
    expect(new Set(refused.map((answer) => `${answer.errorReason} ${answer.started}`))).toEqual(
      new Set(['QUEUE_FULL false']),
    );
  });

  it('answers scoring_timeout for a run that takes longer than the deployment allows', async () => {
    const scorer = await startReady('slow-and-bad/models/heavy-adjustable.onnx', {
      requestSettings: { requestTimeoutMs: 50, maxConcurrentRequestsPerInstance: 1, maxQueueWaitMs: 500 },
    });
    expect(await scorer.stream.score(heavy(300), never)).toMatchObject({ errorCode: 'scoring_timeout', started: true });
    expect((await scorer.stream.score(heavy(1), never)).status).toBe(200);
  });

  it('lets a batch’s worth of requests in although one at a time is set', async () => {
    const { settings } = readMooringSettings({ 'mooring.batch.max-rows': '32', 'mooring.batch.max-delay-us': '2000' });
    const scorer = await startReady('iris-onnx/model.onnx', {
      settings,
      requestSettings: { requestTimeoutMs: 5_000, maxConcurrentRequestsPerInstance: 1, maxQueueWaitMs: 500 },
    });
    const answers = await Promise.all(Array.from({ length: 60 }, () => scorer.stream.score(iris, never)));
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    expect(Math.max(...answers.map((answer) => answer.batchRows))).toBeGreaterThan(8);
  });

  it('outlives requests for all memory and for more than its cap', async () => {
    const { settings } = readMooringSettings({ 'mooring.max-response-bytes': '1000000' });
    const scorer = await startReady('slow-and-bad/models/huge-output.onnx', { settings });
    const ask = (n: string) =>
      scorer.stream.score(scoreCall({ body: Buffer.from(`{"data":{"value":[7],"n":[${n}]}}`) }), never);
    expect(await ask('4611686018427387904')).toMatchObject({ errorReason: 'MODEL_OUT_OF_MEMORY' });
    expect(await ask('16777216')).toMatchObject({ errorReason: 'RESPONSE_TOO_LARGE' });
    expect((await ask('3')).body.toString()).toBe('{"out":[7,7,7]}');
  });
});

describe('a scorer process with a scoring script', () => {
  const python = (scoringScript: string): Partial<InstanceSpec> => ({
    runtime: {
      kind: 'python',
      interpreter: 'python3',
      codeDir: fixture('slow-and-bad/scripts'),
      scoringScript,
      workerCount: 1,
    },
    requestSettings: { requestTimeoutMs: 700, maxConcurrentRequestsPerInstance: 1, maxQueueWaitMs: 500 },
  });
  const numbers = scoreCall({ body: Buffer.from('{"data":[1,2,3]}') });

  it('answers what the script returns', async () => {
    const scorer = await startReady('', python('ok.py'));
    const answer = await scorer.stream.score(numbers, never);
    expect(JSON.parse(answer.body.toString())).toEqual({ sum: 6, n: 3 });
    scorer.child.kill('SIGTERM');
    expect(await scorer.exit).toBe(0);
  });

  it('answers scoring_timeout for a script that hangs, and has its place free again', async () => {
    const scorer = await startReady('', python('hang_in_run.py'));
    for (let round = 0; round < 2; round++) {
      expect(await scorer.stream.score(numbers, never)).toMatchObject({ errorCode: 'scoring_timeout', started: true });
      await eventually(async () => (await healthOf(scorer)) === serving, { timeoutMs: 10_000 });
    }
    scorer.child.kill('SIGTERM');
    expect(await scorer.exit).toBe(0);
  });

  it('says why the script cannot serve and exits 1', async () => {
    const scorer = startProcess(specOf('', python('raise_in_init.py')));
    expect(await scorer.exit).toBe(1);
    expect(scorer.status()).toMatchObject({ state: 'failed', code: 'UserScriptInitFailed', permanent: true });
  });
});

describe('a scorer process that cannot serve', () => {
  it.each([
    'truncated',
    'corrupt',
    'empty',
    'not-onnx',
    'html-instead',
    'unknown-op',
    'future-opset',
    'external-data-missing',
    'external-data-escape',
  ])('says why for %s in status.json and in its log, and exits 1', async (model) => {
    const scorer = startProcess(specOf(`slow-and-bad/models/${model}.onnx`));
    expect(await scorer.exit).toBe(1);
    expect(scorer.status()).toMatchObject({ state: 'failed', permanent: true, code: 'BadArgument' });
    expect(scorer.status()?.message).toContain(`${model}.onnx`);
    expect(scorer.output()).toContain('cannot serve: the model');
    expect(scorer.output()).not.toContain('\u001b[');
  });

  it.each([
    ['not JSON', 'secret: hunter2'],
    ['not a specification', '{"instanceId":"x"}'],
  ])('exits 2 when what it is given is %s, and does not repeat it', async (_what, text) => {
    const scorer = startProcess(text);
    expect(await scorer.exit).toBe(2);
    expect(scorer.output()).toContain('cannot start');
    expect(scorer.output()).not.toContain('hunter2');
  });

  it('says which log levels there are, and exits with 2', async () => {
    const scorer = startProcess(specOf('iris-onnx/model.onnx'), { MOORING_LOG_LEVEL: 'loud' });
    expect(await scorer.exit).toBe(2);
    expect(scorer.output()).toContain("MOORING_LOG_LEVEL: there is no level 'loud'; there are: trace");
  });

  it('says in status.json that it cannot listen', async () => {
    const first = await startReady('iris-onnx/model.onnx');
    const second = startProcess({ ...specOf('iris-onnx/model.onnx'), instanceDir: join(folder.path, 'second') });
    expect(await second.exit).toBe(1);
    expect(second.status()).toMatchObject({ state: 'failed', permanent: false });
    expect(second.status()?.message).toContain('already listens');
    expect((await first.stream.score(iris, never)).status).toBe(200);
  });

  it('ends itself when nobody looks after it', async () => {
    const scorer = startProcess(specOf('iris-onnx/model.onnx', { orphanTimeoutMs: 800 }));
    expect(await scorer.exit).toBe(0);
    expect(scorer.output()).toContain('nobody has looked after this instance');
  });

  it('is not ready once it has been asked to end', async () => {
    const scorer = await startReady('slow-and-bad/models/heavy-adjustable.onnx');
    const client = createClient(HealthClient, `unix:${scorer.spec.socketPath}`);
    cleanUps.push(() => client.close());
    expect((await client.call('check', { service: '' })).status).toBe(serving);
    const calls = Array.from({ length: 4 }, () => scorer.stream.score(heavy(150), never));
    await Promise.race(calls);
    scorer.child.kill('SIGTERM');
    await eventually(() => scorer.stream.state === 'draining' || scorer.stream.state === 'connecting');
    const status = await client.call('check', { service: '' }).then(
      (answer) => answer.status,
      () => notServing,
    );
    expect(status).toBe(notServing);
    await Promise.all(calls);
    expect(await scorer.exit).toBe(0);
  });
});
