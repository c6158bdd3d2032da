import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, fixture } from '@mooring/testing';
import { endpointSpec } from '@mooring/domain/testing';
import { irisSpec } from './testing/specs.ts';
import { irisModel, startTestGround, type TestGround } from './testing/test-ground.ts';

let ground: TestGround;
const answered = { code: 0, details: '' };
const unavailable = 14;
const script = (name: string): string => fixture(`slow-and-bad/scripts/${name}`);

const pids = async (deployment: string): Promise<number[]> =>
  (await ground.instances('flowers', deployment)).map(({ pid }) => pid).toSorted((a, b) => a - b);

beforeAll(async () => {
  ground = await startTestGround();
  await ground.addModel('iris/1', irisModel);
  await ground.addModel('broken/1', fixture('slow-and-bad/models/truncated.onnx'));
  await ground.addCode('hangs/1', script('hang_in_init.py'));
  await ground.addCode('raises/1', script('raise_in_init.py'));
  await ground.put('online-endpoint', 'Flowers', endpointSpec());
  expect(await ground.settled('online-endpoint', 'Flowers')).toMatchObject({ state: 'Succeeded' });
});
afterAll(() => ground.stop());

it('a new deployment serves once it succeeded', async () => {
  await ground.put('online-deployment', 'Flowers/Blue', irisSpec());
  expect(await ground.settled('online-deployment', 'Flowers/Blue')).toMatchObject({ state: 'Succeeded' });
  expect(await ground.score('Flowers', 'blue')).toEqual(answered);
  await ground.put('online-endpoint', 'Flowers', endpointSpec({ traffic: { blue: 100 } }));
  expect(await ground.settled('online-endpoint', 'Flowers')).toMatchObject({ state: 'Succeeded' });
  expect(await ground.score('Flowers')).toEqual(answered);
});

it('a deployment that is not ready yet is known to callers, and can be deleted', async () => {
  const code = { codeKey: 'hangs/1', scoringScript: 'hang_in_init.py' };
  const { model: _model, ...rest } = irisSpec();
  await ground.put('online-deployment', 'flowers/slow', { ...rest, code });
  await eventually(async () => (await ground.instances('flowers', 'slow')).some(({ pid }) => pid > 0), {
    timeoutMs: 30_000,
  });
  expect(await ground.score('flowers', 'slow')).toMatchObject({ code: unavailable });
  expect((await ground.get('online-deployment', 'flowers/slow'))?.operation.step).toMatch(/readiness of instance 1/);
  expect(await ground.logs('flowers', 'slow', 'storage-initializer')).toContain('preparing environment');
  await ground.remove('online-deployment', 'flowers/slow');
  await ground.gone('online-deployment', 'flowers/slow');
  expect(await pids('slow')).toEqual([]);
});

it('a deployment whose script fails in init says so, with the lines that it wrote', async () => {
  const code = { codeKey: 'raises/1', scoringScript: 'raise_in_init.py' };
  const { model: _model, ...rest } = irisSpec();
  await ground.put('online-deployment', 'flowers/bad', { ...rest, code });
  const { state, operation } = await ground.settled('online-deployment', 'flowers/bad');
  expect(state).toBe('Failed');
  expect(operation.error).toMatchObject({
    code: 'UserScriptInitFailed',
    message: expect.stringContaining('fixture: init failed on purpose'),
  });
  expect(await ground.logs('flowers', 'bad')).toContain('fixture: init failed on purpose');
  expect(await ground.score('flowers', 'bad')).toMatchObject({ code: unavailable });
  await ground.remove('online-deployment', 'flowers/bad');
  await ground.gone('online-deployment', 'flowers/bad');
});

it('a deployment whose model’s files are no longer those that were registered fails and says so', async () => {
  await ground.addModel('tampered/1', irisModel);
  await ground.put('online-deployment', 'flowers/first', irisSpec({ model: 'tampered/1' }));
  expect(await ground.settled('online-deployment', 'flowers/first')).toMatchObject({ state: 'Succeeded' });
  writeFileSync(join(ground.folder.artifacts, 'models', 'tampered-1', 'model.onnx'), 'evil');
  await ground.put('online-deployment', 'flowers/second', irisSpec({ model: 'tampered/1' }));
  const { state, operation } = await ground.settled('online-deployment', 'flowers/second');
  expect(state).toBe('Failed');
  expect(operation.error).toMatchObject({ code: 'ContentChanged', message: expect.stringContaining("'tampered/1'") });
  for (const name of ['first', 'second']) {
    await ground.remove('online-deployment', `flowers/${name}`);
    await ground.gone('online-deployment', `flowers/${name}`);
  }
});

it('a rolling update loses no request, and its settings reach the routing record when it serves', async () => {
  const before = await pids('blue');
  const requestSettings = { ...irisSpec().requestSettings, requestTimeoutMs: 7_000 };
  const { sent, failed } = await ground.scoreWhile('Flowers', async () => {
    await ground.put('online-deployment', 'Flowers/blue', irisSpec({ requestSettings }));
    expect((await ground.routing('flowers'))?.deployments['blue']?.requestTimeoutMs).toBe(5_000);
    await ground.settled('online-deployment', 'Flowers/blue');
  });
  expect(failed).toEqual([]);
  expect(sent).toBeGreaterThan(100);
  const after = await pids('blue');
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
  await eventually(async () => (await ground.routing('flowers'))?.deployments['blue']?.requestTimeoutMs === 7_000);
});

it('a change of instance_count starts and stops only what is needed', async () => {
  const spec = (await ground.get('online-deployment', 'flowers/blue'))?.spec ?? irisSpec();
  const [first] = await pids('blue');
  const { failed } = await ground.scoreWhile('Flowers', async () => {
    await ground.put('online-deployment', 'flowers/blue', { ...spec, instanceCount: 2 });
    await ground.settled('online-deployment', 'flowers/blue');
    expect(await pids('blue')).toHaveLength(2);
    expect(await pids('blue')).toContain(first);
    await ground.put('online-deployment', 'flowers/blue', { ...spec, instanceCount: 1 });
    await ground.settled('online-deployment', 'flowers/blue');
  });
  expect(failed).toEqual([]);
  expect(await pids('blue')).toEqual([first]);
});

it('an update that fails leaves what served before serving', async () => {
  const [before] = await ground.instances('flowers', 'blue');
  const { spec } = (await ground.get('online-deployment', 'flowers/blue')) ?? { spec: irisSpec() };
  const { failed } = await ground.scoreWhile('Flowers', async () => {
    await ground.put('online-deployment', 'flowers/blue', { ...spec, model: 'broken/1' });
    const { state, operation } = await ground.settled('online-deployment', 'flowers/blue');
    expect(state).toBe('Failed');
    expect(operation.error?.message).toMatch(/model/);
  });
  expect(failed).toEqual([]);
  await eventually(async () => {
    expect(await ground.instances('flowers', 'blue')).toEqual([before]);
  });
  expect((await ground.routing('flowers'))?.deployments['blue']?.model).toEqual({ name: 'iris', version: '1' });
  await ground.put('online-deployment', 'flowers/blue', spec);
  expect(await ground.settled('online-deployment', 'flowers/blue')).toMatchObject({ state: 'Succeeded' });
});

it('a change of traffic touches no instance', async () => {
  await ground.put('online-deployment', 'flowers/green', irisSpec());
  await ground.settled('online-deployment', 'flowers/green');
  const before = await ground.instances('flowers');
  const startedAt = performance.now();
  await ground.put('online-endpoint', 'flowers', endpointSpec({ traffic: { blue: 90, green: 10 } }));
  await eventually(async () => (await ground.routing('flowers'))?.traffic['green'] === 10, { timeoutMs: 2_000 });
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await ground.settled('online-endpoint', 'flowers');
  expect(await ground.instances('flowers')).toEqual(before);
});
