import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadYaml } from '@mooring/azureml/yaml';
import type { PlatformError } from '@mooring/errors';
import { BatchServiceClient } from '@mooring/contracts/batch';
import { startTestNats, tempDir, type TempDir, type TestNats } from '@mooring/testing';
import {
  applyBatchDeployment,
  applyBatchEndpoint,
  applyData,
  applyDeployment,
  applyEndpoint,
  applyModel,
  createManagementClient,
  setDefaultDeployment,
  updateTraffic,
  uploadInput,
  type JobListOptions,
  type ManagementClient,
  type Step,
} from './index.ts';
import { ask, startPretendController, type PretendController } from './testing/pretend-controller.ts';
import { startControlPlane, type ControlPlane } from './testing/start-processes.ts';

let nats: TestNats;
let data: TempDir;
let files: TempDir;
let plane: ControlPlane;
let controller: PretendController;
let client: ManagementClient;
beforeAll(async () => {
  nats = await startTestNats();
  data = tempDir();
  files = tempDir();
  plane = await startControlPlane(data.path, nats.environment);
  controller = startPretendController(plane.address('registry'), plane.address('auth'));
  client = createManagementClient(plane);
});
afterAll(async () => {
  await controller?.stop();
  await plane?.stop();
  await nats.stop();
  data.remove();
  files.remove();
});

function file(path: string, content: string | Buffer): string {
  const full = join(files.path, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, content);
  return full;
}

const score = 'def init():\n    pass\n\ndef run(data):\n    return data\n';
const deploymentYaml = (name: string, more = ''): string => `
name: ${name}
endpoint_name: cars
model:
  path: weights.bin
code_configuration:
  code: code
  scoring_script: score.py
environment:
  image: ubuntu
  conda_file:
    dependencies: [pip, {pip: [numpy]}]
environment_variables:
  TOKEN: s3cret-of-a-user
instance_type: Standard_DS2_v2
instance_count: 2
${more}`;

/** Does what the gateway does with a body that is posted to `night`. */
async function submit(name: string): Promise<void> {
  const batch = new BatchServiceClient(plane.address('batch-scheduler'), credentials.createInsecure());
  const uri = 'azureml://datastores/workspaceblobstore/paths/LocalUpload';
  const inputData = { photos: { jobInputType: 'UriFolder', uri } };
  const jobJson = JSON.stringify({ properties: { name, tags: { of: name }, inputData } });
  const request = { endpoint: 'night', jobJson, deployment: '', idempotencyKey: '', principal: 'x' };
  await ask(batch.submitJob.bind(batch), request);
  batch.close();
}

describe('the client against management, registry and auth as processes', () => {
  it('makes an endpoint and waits until it is there', async () => {
    const yaml = file('endpoint.yml', 'name: cars\nauth_mode: key\ndescription: first\n');
    const draft = await loadYaml(yaml, { kind: 'online-endpoint' });
    const { body, etag } = await applyEndpoint(draft, { client });
    expect(body.properties).toMatchObject({ provisioningState: 'Succeeded', description: 'first' });
    expect(etag).toBe(`"${String(body['etag'])}"`);
  });

  it('uploads what a deployment needs, stores it and shows its steps', async () => {
    file('weights.bin', Buffer.alloc(3_000_000, 7));
    file('code/score.py', score);
    file('code/lib/ä b#.txt', 'x');
    const steps: Step[] = [];
    const draft = await loadYaml(file('blue.yml', deploymentYaml('blue')), { kind: 'online-deployment' });
    controller.held.add('cars/blue');
    const onStep = (step: Step): void => {
      steps.push(step);
      if (step.step.startsWith('starting instance')) controller.held.delete('cars/blue');
    };
    const { body } = await applyDeployment(draft, { client, onStep });
    expect(body.properties).toMatchObject({
      provisioningState: 'Succeeded',
      environmentVariables: { TOKEN: 's3cret-of-a-user' },
      scaleSettings: { scaleType: 'Default' },
    });
    expect(body['sku']).toMatchObject({ capacity: 2 });
    expect(steps.map(({ step }) => step)).toEqual(expect.arrayContaining([expect.stringMatching(/^uploading code/)]));
    expect(steps.map(({ step }) => step)).toContain('starting instance 1 of 1');
    // Once more: nothing has to be sent again, and nothing changes.
    const again = await applyDeployment(draft, { client });
    expect(again.body['properties']['mooring']).toEqual(body.properties['mooring']);
  });

  it('sends a file of many blocks and gets the next version by itself', async () => {
    const path = file('large.bin', Buffer.alloc(70 * 2 ** 20, 3));
    const draft = await loadYaml(file('model.yml', `name: large\npath: ${path}\n`), { kind: 'model' });
    const first = await applyModel(draft, { client });
    const second = await applyModel(draft, { client });
    expect([first.body.name, second.body.name]).toEqual(['1', '2']);
    expect((await client.assets('models').latestVersion('large'))?.name).toBe('2');
    const listed = await client.assets('models').listContainers();
    expect(listed.map(({ name }) => name)).toEqual(['large']);
  });

  it('moves traffic on top of what is there, also when others write at the same time', async () => {
    const share = (name: string) =>
      updateTraffic('cars', ({ traffic }) => ({ traffic: { ...traffic, [name]: 100 } }), { client });
    expect((await share('blue')).body.properties['traffic']).toEqual({ blue: 100 });
    const unknown = await share('nobody').catch((error: PlatformError) => error);
    expect(unknown).toMatchObject({ code: 'invalid_argument' });
    const described = async (text: string): Promise<unknown> => {
      const yaml = file(`endpoint-${text}.yml`, `name: cars\ndescription: ${text}\n`);
      const draft = await loadYaml(yaml, { kind: 'online-endpoint' });
      // Whoever read before another wrote is told so.
      return applyEndpoint(draft, { client }).catch((error: PlatformError) => expect(error.reason).toBe('STALE_ETAG'));
    };
    await Promise.all([described('a'), described('b'), share('blue')]);
    expect((await client.onlineEndpoints.get('cars')).body.properties['traffic']).toEqual({ blue: 100 });
  });

  it('hears every problem at once, where it is and what would be right', async () => {
    const put = client.onlineDeployments.put('cars', '9', {
      location: 'local',
      properties: { instanceType: 'x y', livenessProbe: { period: 'often' }, colour: 'red' },
    });
    const error = await put.catch((thrown: PlatformError) => thrown);
    expect(error).toMatchObject({ code: 'invalid_argument', reason: 'VALIDATION_FAILED' });
    expect((error as PlatformError).problems.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'name',
        'properties.instanceType',
        'properties.livenessProbe.period',
        'properties.colour',
      ]),
    );
    expect((error as PlatformError).problems[0]?.expected).toContain('letters');
  });

  it('hears of rules that only the registry knows in the words of the body', async () => {
    const put = client.onlineDeployments.put('cars', 'green', {
      location: 'local',
      properties: { instanceType: 'Standard_DS2_v2', model: 'azureml:nobody:1', properties: { 'mooring.cpu': '0.5' } },
    });
    const error = (await put.catch((thrown: PlatformError) => thrown)) as PlatformError;
    expect(error.problems).toMatchObject([{ path: 'properties.model', problem: "there is no model 'nobody/1'" }]);
  });

  it('hears why an operation failed, and the deployment says it too', async () => {
    controller.failures.set('cars/bad', 'init() raised: no such file');
    const draft = await loadYaml(file('bad.yml', deploymentYaml('bad')), { kind: 'online-deployment' });
    const error = await applyDeployment(draft, { client }).catch((thrown: PlatformError) => thrown);
    expect(error).toMatchObject({ reason: 'UserScriptInitFailed', message: 'init() raised: no such file' });
    const { body } = await client.onlineDeployments.get('cars', 'bad');
    expect(body.properties['provisioningState']).toBe('Failed');
    controller.failures.clear();
    expect((await applyDeployment(draft, { client })).body.properties['provisioningState']).toBe('Succeeded');
  });

  it('has one key made new while the other stays', async () => {
    const before = await client.onlineEndpoints.listKeys('cars');
    await client.onlineEndpoints.regenerateKeys('cars', 'Secondary');
    const after = await client.onlineEndpoints.listKeys('cars');
    expect(after.primaryKey).toBe(before.primaryKey);
    expect(after.secondaryKey).not.toBe(before.secondaryKey);
  });

  it('reads revisions newest last, mirror reports and the audit', async () => {
    const revisions = await client.onlineEndpoints.revisions('cars');
    const generations = revisions.map((revision) => Number(revision['generation']));
    expect(generations.length).toBeGreaterThan(1);
    expect(generations).toEqual(generations.toSorted((a, b) => a - b));
    expect(await client.onlineEndpoints.mirrorReport('cars')).toEqual([]);
    const audit = await client.auditEvents(1_000);
    expect(audit.length).toBeGreaterThan(10);
    expect(audit).toContainEqual(expect.objectContaining({ action: 'onlineEndpoints/write', outcome: 'refused' }));
    expect(JSON.stringify(audit)).not.toContain('s3cret-of-a-user');
  });

  it('deletes and waits until it is gone', async () => {
    const used = await client.onlineDeployments.delete('cars', 'blue').catch((thrown: PlatformError) => thrown);
    expect(used).toMatchObject({ reason: 'DEPLOYMENT_HAS_TRAFFIC' });
    expect(await client.onlineEndpoints.delete('cars')).toBe(true);
    expect(await client.onlineEndpoints.delete('cars')).toBe(false);
    await expect(client.onlineEndpoints.get('cars')).rejects.toMatchObject({
      code: 'not_found',
      reason: 'ENDPOINT_NOT_FOUND',
    });
  });

  it('makes batch endpoints and deployments, and keeps the default that a description does not speak of', async () => {
    const night = (text: string) =>
      loadYaml(file('night.yml', `name: night\ndescription: ${text}\n`), { kind: 'batch-endpoint' });
    await applyBatchEndpoint(await night('first'), { client });
    const yaml = `
name: luca
endpoint_name: night
model: {path: weights.bin}
code_configuration: {code: code, scoring_script: score.py}
environment: {image: ubuntu, conda_file: {dependencies: [pip]}}
compute: azureml:pool
resources: {instance_count: 2}
`;
    const draft = await loadYaml(file('night-luca.yml', yaml), { kind: 'batch-deployment' });
    const { body } = await applyBatchDeployment(draft, { client });
    expect(body.properties).toMatchObject({
      provisioningState: 'Succeeded',
      model: { referenceType: 'Id', assetId: expect.stringMatching(/\/models\/[0-9a-f]{64}\/versions\/1$/) },
      codeConfiguration: { scoringScript: 'score.py' },
      resources: { instanceCount: 2 },
    });
    expect((await client.batchDeployments.list('night')).map(({ name }) => name)).toEqual(['luca']);
    await setDefaultDeployment('night', 'luca', { client });
    const again = await applyBatchEndpoint(await night('second'), { client });
    expect(again.body.properties).toMatchObject({ description: 'second', defaults: { deploymentName: 'luca' } });
    const keys = await client.batchEndpoints.listKeys('night');
    await client.batchEndpoints.regenerateKeys('night', 'Primary');
    const after = await client.batchEndpoints.listKeys('night');
    expect([after.primaryKey === keys.primaryKey, after.secondaryKey === keys.secondaryKey]).toEqual([false, true]);
  });

  it('lists jobs newest first, changes them, and hears why that cannot be', async () => {
    for (const name of ['one', 'two', 'three']) await submit(name);
    const names = async (options: JobListOptions) => (await client.jobs.list(options)).map(({ name }) => name);
    expect(await names({})).toEqual(['three', 'two', 'one']);
    expect(await names({ endpoint: 'night', deployment: 'luca', max: 2 })).toEqual(['three', 'two']);
    expect(await names({ tags: ['of=two'] })).toEqual(['two']);
    const { properties } = await client.jobs.get('two');
    expect([properties.displayName, properties.mooring.deployment, properties.tags['of']]).toEqual([
      'two',
      'luca',
      'two',
    ]);
    const { properties: cancelled } = await client.jobs.cancel('two');
    expect(cancelled.status).toMatch(/^Cancel/);
    await expect.poll(() => names({ status: ['Canceled'] }), { timeout: 15_000 }).toEqual(['two']);
    expect(await client.jobs.getLogs('two', { tail: 10 })).toBe('');
    // Nothing was listed yet, so there is nothing to prove.
    await expect(client.jobs.verify('two')).rejects.toMatchObject({ code: 'failed_precondition' });
    expect((await client.jobs.resume('two')).properties.mooring.attempt).toBe(2);
    await expect(client.jobs.get('nobody')).rejects.toMatchObject({ code: 'not_found', reason: 'JOB_NOT_FOUND' });
    await expect(client.jobs.list({ endpoint: 'nobody' })).rejects.toMatchObject({ reason: 'ENDPOINT_NOT_FOUND' });
    for (const name of ['one', 'two', 'three']) await client.jobs.cancel(name);
    expect(await client.batchEndpoints.delete('night')).toBe(true);
  });

  it('uploads data and the inputs of jobs, each once', async () => {
    file('photos/ä 1.png', 'a');
    file('photos/b/2.png', 'b');
    const yaml = file('photos.yml', 'name: photos\npath: photos\n');
    const draft = await loadYaml(yaml, { kind: 'data' });
    const versions = [await applyData(draft, { client }), await applyData(draft, { client })];
    expect(versions.map(({ body }) => body.name)).toEqual(['1', '2']);
    const { dataUri } = versions[0]?.body.properties ?? {};
    const steps: Step[] = [];
    const path = join(files.path, 'photos');
    const uri = await uploadInput({ path, name: 'photos' }, { client, onStep: (step) => void steps.push(step) });
    expect(uri).toMatch(/^azureml:\/\/datastores\/workspaceblobstore\/paths\/LocalUpload\/[0-9a-f]{64}\/photos$/);
    expect(String(dataUri).endsWith(uri.slice('azureml://'.length))).toBe(true);
    expect(await uploadInput({ path, name: 'photos' }, { client })).toBe(uri);
  });

  it('is sent away with a wrong token, and says so', async () => {
    const stranger = createManagementClient({ url: plane.url, token: 'wrong' });
    await expect(stranger.onlineEndpoints.list()).rejects.toMatchObject({
      code: 'unauthenticated',
      reason: 'MANAGEMENT_TOKEN_INVALID',
    });
  });
});
