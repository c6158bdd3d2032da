import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { batchDeploymentSpec, batchEndpointSpec, componentSpec, endpointSpec } from '@mooring/domain/testing';
import { eventually, fixture } from '@mooring/testing';
import { irisModel, startTestGround, type TestGround } from './testing/test-ground.ts';

let ground: TestGround;
const code = { codeKey: 'script/1', scoringScript: 'hang_in_init.py' };

beforeAll(async () => {
  ground = await startTestGround();
  await ground.addModel('iris/1', irisModel);
  await ground.addModel('weights/1', fixture('azureml-yaml/artifacts/fern/weights.json'));
  await ground.addCode('script/1', fixture('slow-and-bad/scripts/hang_in_init.py'));
  await ground.put('batch-endpoint', 'Night', batchEndpointSpec());
  expect(await ground.settled('batch-endpoint', 'Night')).toMatchObject({ state: 'Succeeded' });
});
afterAll(() => ground.stop());

it('an endpoint has keys, and a record that tells the gateway of its deployments and its default', async () => {
  const { primaryKey } = await ground.keys('night');
  expect(primaryKey).toMatch(/\S{30}/);
  expect(await ground.batchEndpoint('night')).toEqual({
    endpoint: 'Night',
    createdAt: (await ground.get('batch-endpoint', 'night'))?.system.createdAt,
    deployments: [],
  });
  await ground.put('batch-deployment', 'night/Rows', batchDeploymentSpec({ model: 'iris/1' }));
  expect(await ground.settled('batch-deployment', 'night/rows')).toMatchObject({ state: 'Succeeded' });
  await ground.put('batch-endpoint', 'night', batchEndpointSpec({ defaultDeployment: 'Rows' }));
  await ground.settled('batch-endpoint', 'night');
  await eventually(async () => {
    expect(await ground.batchEndpoint('night')).toMatchObject({ defaultDeployment: 'rows', deployments: ['rows'] });
  });
  expect((await ground.keys('night')).primaryKey).toBe(primaryKey);
});

it('a job gets the model file, and the limits that the deployment sets', async () => {
  const properties = { 'mooring.cpu': '0.5', 'mooring.memory-mib': '256' };
  await ground.put('batch-deployment', 'night/small', batchDeploymentSpec({ model: 'iris/1', properties }));
  await ground.settled('batch-deployment', 'night/small');
  const launch = await ground.prepareBatch({ endpoint: 'NIGHT', deployment: 'Small', model: 'iris/1' });
  const path = join(ground.folder.artifacts, 'models/iris-1/model.onnx');
  expect(launch).toEqual({
    runtime: { kind: 'onnx', file: path },
    model: { name: 'iris', version: '1', path, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    environmentVariables: {},
    limits: { cpu: 0.5, memoryMib: 256 },
    warnings: [],
  });
});

it('a job with a script gets code, interpreter and the deployment’s variables; the script is not run for that', async () => {
  const spec = batchDeploymentSpec({ model: 'weights/1', code, environmentVariables: { TOKEN: 'hunter2' } });
  await ground.put('batch-deployment', 'night/script', spec);
  expect(await ground.settled('batch-deployment', 'night/script')).toMatchObject({ state: 'Succeeded' });
  const request = { endpoint: 'night', deployment: 'script', model: 'weights/1', code: 'script/1' };
  expect(await ground.prepareBatch({ ...request, scoringScript: code.scoringScript })).toMatchObject({
    runtime: {
      kind: 'python',
      interpreter: expect.stringMatching(/python/),
      codeDir: join(ground.folder.artifacts, 'codes/script-1'),
      scoringScript: 'hang_in_init.py',
      modelDir: join(ground.folder.artifacts, 'models/weights-1'),
    },
    codeDigest: expect.any(String),
    environmentDigest: expect.any(String),
    environmentVariables: { TOKEN: 'hunter2' },
  });
  expect(ground.controllerLog()).not.toContain('hunter2');
  expect(await ground.logs('night', 'script', 'storage-initializer')).toContain('preparing environment');
});

it('a job runs with the versions that it was made with, though the deployment names others by now', async () => {
  await ground.put('batch-deployment', 'night/script', batchDeploymentSpec({ model: 'iris/1' }));
  await ground.settled('batch-deployment', 'night/script');
  const launch = await ground.prepareBatch({
    endpoint: 'night',
    deployment: 'script',
    model: 'weights/1',
    code: 'script/1',
    scoringScript: code.scoringScript,
  });
  expect(launch).toMatchObject({ model: { name: 'weights' }, environmentVariables: {} });
});

it('a step whose code is not there shows when the pipeline’s deployment is made', async () => {
  const component = { type: 'command', command: 'true', code: 'azureml:none:1' };
  await ground.put('component', 'broken/1', componentSpec({ component }));
  const jobs = { one: { componentId: 'azureml:broken@latest' } };
  await ground.put('component', 'pipe/2', componentSpec({ component: { type: 'pipeline', jobs } }));
  await ground.put('batch-deployment', 'night/broken', {
    tags: {},
    properties: {},
    type: 'pipeline',
    component: 'pipe/2',
    settings: { continueOnStepFailure: false, forceRerun: false },
  });
  const { state, operation } = await ground.settled('batch-deployment', 'night/broken');
  expect(state).toBe('Failed');
  expect(operation.error).toMatchObject({
    code: 'ResourceNotFound',
    message: expect.stringMatching(/step 'one': the code 'none\/1'/),
  });
});

it('a model that can neither run by itself nor has code shows when the deployment is made', async () => {
  await ground.put('batch-deployment', 'night/bad', batchDeploymentSpec({ model: 'weights/1' }));
  const { state, operation } = await ground.settled('batch-deployment', 'night/bad');
  expect(state).toBe('Failed');
  expect(operation.error).toMatchObject({ code: 'BadArgument', message: expect.stringMatching(/no \.onnx file/) });
  await ground.put('batch-deployment', 'night/bad', batchDeploymentSpec({ model: 'iris/1' }));
  expect(await ground.settled('batch-deployment', 'night/bad')).toMatchObject({ state: 'Succeeded' });
});

it('files that are no longer those that were registered are refused', async () => {
  await ground.addModel('tampered/1', irisModel);
  const request = { endpoint: 'night', deployment: 'rows', model: 'tampered/1' };
  await ground.prepareBatch(request);
  writeFileSync(join(ground.folder.artifacts, 'models/tampered-1/model.onnx'), 'evil');
  await expect(ground.prepareBatch(request)).rejects.toMatchObject({
    code: 'failed_precondition',
    reason: 'ContentChanged',
  });
});

it('a step of a pipeline gets its code and its environment, as a command or as a script', async () => {
  await ground.put('component', 'copy/1', componentSpec({ component: { type: 'command', command: 'true' } }));
  const jobs = { one: { componentId: 'azureml:copy:1' } };
  await ground.put('component', 'pipe/1', componentSpec({ component: { type: 'pipeline', jobs } }));
  await ground.put('batch-deployment', 'night/pipe', {
    tags: {},
    properties: { 'mooring.memory-mib': '256' },
    type: 'pipeline',
    component: 'pipe/1',
    settings: { continueOnStepFailure: false, forceRerun: false },
  });
  expect(await ground.settled('batch-deployment', 'night/pipe')).toMatchObject({ state: 'Succeeded' });
  expect(await ground.logs('night', 'pipe', 'storage-initializer')).toContain("step 'one': preparing environment");
  const request = { endpoint: 'night', deployment: 'pipe', step: 'command' };
  const codeDir = join(ground.folder.artifacts, 'codes/script-1');
  expect(await ground.prepareBatch(request)).toMatchObject({
    runtime: { kind: 'command', interpreter: expect.stringMatching(/python/) },
    limits: { memoryMib: 256 },
    environmentDigest: expect.any(String),
  });
  expect(await ground.prepareBatch({ ...request, code: 'script/1' })).toMatchObject({
    runtime: { kind: 'command', codeDir },
    codeDigest: expect.any(String),
  });
  const script = { code: 'script/1', scoringScript: code.scoringScript };
  expect(await ground.prepareBatch({ ...request, ...script, step: 'parallel' })).toMatchObject({
    runtime: { kind: 'python', codeDir, scoringScript: code.scoringScript },
  });
  await expect(ground.prepareBatch({ ...request, step: '', model: 'iris/1' })).rejects.toThrow(/of type pipeline/);
  await expect(ground.prepareBatch({ ...request, deployment: 'rows' })).rejects.toThrow(/of type model/);
  await expect(ground.prepareBatch({ ...request, step: 'sweep' })).rejects.toThrow(/step: is not allowed/);
  await expect(ground.prepareBatch({ ...request, model: 'iris/1' })).rejects.toThrow(/model: is not allowed/);
});

it.each([
  [{}, /endpoint: is not allowed.*deployment: .*model: /],
  [{ endpoint: 'night/rows', deployment: 'rows', model: 'iris/1' }, /endpoint: is not allowed/],
  [{ endpoint: 'night', deployment: 'rows', model: 'iris' }, /model: is not allowed/],
  [{ endpoint: 'night', deployment: 'rows', model: 'iris/1', code: 'script/1' }, /scoring_script: stands alone/],
  [{ endpoint: 'night', deployment: 'none', model: 'iris/1' }, /there is no batch deployment 'night\/none'/],
  [{ endpoint: 'night', deployment: 'rows', model: 'iris/9' }, /the model 'iris\/9' .*does not exist/],
  [
    {
      endpoint: 'night',
      deployment: 'rows',
      model: 'iris/1',
      environment: 'e/1',
      code: 'script/9',
      scoringScript: 'a.py',
    },
    /the code 'script\/9'/,
  ],
])('a request to prepare %j is refused with what is wrong', async (request, says) => {
  await expect(ground.prepareBatch(request)).rejects.toThrow(says);
});

it('what is gone leaves nothing, and an online endpoint of its name keeps its own keys', async () => {
  const { primaryKey } = await ground.keys('night');
  await ground.remove('batch-endpoint', 'night');
  await ground.gone('batch-endpoint', 'night');
  expect(await ground.batchEndpoint('night')).toBeUndefined();
  for (const name of ['rows', 'small', 'script', 'bad', 'pipe', 'broken']) {
    expect(await ground.get('batch-deployment', `night/${name}`)).toBeUndefined();
  }
  await expect(ground.keys('night')).rejects.toMatchObject({ code: 'not_found' });
  await ground.put('online-endpoint', 'night', endpointSpec());
  await ground.settled('online-endpoint', 'night');
  expect((await ground.keys('night')).primaryKey).not.toBe(primaryKey);
});

it('a controller that starts again knows them', async () => {
  await ground.put('batch-endpoint', 'again', batchEndpointSpec());
  await ground.settled('batch-endpoint', 'again');
  await ground.controller.stop();
  await ground.put('batch-deployment', 'again/rows', batchDeploymentSpec({ model: 'iris/1' }));
  await ground.remove('batch-endpoint', 'again');
  await ground.startController();
  await ground.gone('batch-endpoint', 'again');
  expect(await ground.batchEndpoint('again')).toBeUndefined();
});
