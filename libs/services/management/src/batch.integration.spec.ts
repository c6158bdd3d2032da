import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestNats, tempDir, type TempDir, type TestNats } from '@mooring/testing';
import { startTestManagement, workspace, type Answered, type TestManagement } from './testing/test-management.ts';
import { uploadFolder } from './testing/uploads.ts';

let nats: TestNats;
let data: TempDir;
let management: TestManagement;
beforeAll(async () => {
  nats = await startTestNats();
  data = tempDir();
  management = await startTestManagement({ nats, data: data.path });
  const codeUri = await uploadFolder(management, 'c/code', { 'batch_score.py': 'def run(batch):\n    return batch\n' });
  await management.send('PUT', 'codes/score/versions/1', { body: { properties: { codeUri } } });
  const modelUri = await uploadFolder(management, 'm/model', { 'model.bin': '1' });
  for (const version of ['1', '2']) {
    await management.send('PUT', `models/fern/versions/${version}`, { body: { properties: { modelUri } } });
  }
  const image = { image: 'ubuntu', condaFile: 'dependencies: [pip]\n' };
  await management.send('PUT', 'environments/py/versions/1', { body: { properties: image } });
});
afterAll(async () => {
  await management.stop();
  await nats.stop();
  data.remove();
});

/** As Azure's SDK sends them (azureml-contract 3.5). */
const endpoint = { location: 'local', tags: {}, properties: { authMode: 'aadToken', description: '', properties: {} } };
const deployment = (changes: Record<string, unknown> = {}) => ({
  location: 'local',
  properties: {
    model: { referenceType: 'Id', assetId: `${workspace}/models/fern/versions/1` },
    environmentId: `${workspace}/environments/py/versions/1`,
    codeConfiguration: { codeId: `${workspace}/codes/score/versions/1`, scoringScript: './batch_score.py' },
    compute: `${workspace}/computes/pool`,
    resources: { instanceCount: 2, properties: {} },
    retrySettings: { maxRetries: 3, timeout: 'PT30S' },
    errorThreshold: -1,
    loggingLevel: 'info',
    environmentVariables: {},
    ...changes,
  },
});

async function ended(kind: 'batch-endpoint' | 'batch-deployment', key: string, path: string): Promise<Answered> {
  await management.registry.end(kind, key, 'Succeeded');
  return management.send('GET', path);
}

function problemsOf(answer: Answered): { path: string; problem: string }[] {
  return answer.json.error.additionalInfo[0].info.problems;
}

describe('a batch endpoint', () => {
  it('is made, shown with the address of its jobs, listed, and changed as online ones are', async () => {
    const made = await management.send('PUT', 'batchEndpoints/night', { body: endpoint });
    expect(made.status).toBe(201);
    expect(made.headers.get('azure-asyncoperation')).toContain('/mfeOperationsStatus/');
    const shown = await ended('batch-endpoint', 'night', 'batchEndpoints/NIGHT');
    expect(shown.json).toMatchObject({
      id: `${workspace}/batchEndpoints/night`,
      type: 'Microsoft.MachineLearningServices/workspaces/batchEndpoints',
      properties: { provisioningState: 'Succeeded', authMode: 'AADToken', properties: {}, defaults: {} },
    });
    expect(shown.json.properties.scoringUri).toMatch(/\/endpoints\/night\/jobs$/);
    const listed = await management.send('GET', 'batchEndpoints');
    expect(listed.json.value.map(({ name }: { name: string }) => name)).toEqual(['night']);
    const patched = await management.send('PATCH', 'batchEndpoints/night', { body: { tags: { team: 'photos' } } });
    expect(patched.json.tags).toEqual({ team: 'photos' });
    await management.registry.end('batch-endpoint', 'night', 'Succeeded');
    const revisions = await management.send('GET', 'batchEndpoints/night/revisions');
    expect(revisions.json.value.at(-1)).toMatchObject({ resource: { tags: { team: 'photos' } } });
    expect((await management.send('POST', 'batchEndpoints/night', { body: {} })).status).toBe(405);
  });

  it('has keys, in either spelling of the path, and one is made new while the other stays', async () => {
    expect((await management.send('POST', 'batchEndpoints/night/listkeys')).status).toBe(503);
    await management.ensureKeys('night');
    const before = await management.send('POST', 'batchEndpoints/night/listkeys');
    expect((await management.send('POST', 'batchEndpoints/Night/listKeys', { body: {} })).json).toEqual(before.json);
    const body = { keyType: 'Primary' };
    expect((await management.send('POST', 'batchEndpoints/night/regenerateKeys', { body })).status).toBe(202);
    const after = await management.send('POST', 'batchEndpoints/night/listkeys');
    expect(after.json.primaryKey).not.toBe(before.json.primaryKey);
    expect(after.json.secondaryKey).toBe(before.json.secondaryKey);
    expect((await management.send('POST', 'batchEndpoints/nobody/listkeys')).status).toBe(404);
  });

  it('does not take the name of an online one, nor the other way round', async () => {
    const online = { location: 'local', properties: { authMode: 'Key' } };
    const taken = await management.send('PUT', 'onlineEndpoints/night', { body: online });
    expect(problemsOf(taken)).toMatchObject([{ path: 'name', problem: expect.stringContaining('batch endpoint') }]);
    expect((await management.send('GET', 'onlineEndpoints/night')).status).toBe(404);
  });

  it('is refused with what is wrong in words of its body', async () => {
    const properties = { authMode: 'Key', traffic: { luca: 100 } };
    const refused = await management.send('PUT', 'batchEndpoints/9', { body: { properties } });
    expect(refused.status).toBe(400);
    expect(
      problemsOf(refused)
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(['name', 'properties.authMode', 'properties.traffic']);
    const early = { properties: { authMode: 'aadToken', defaults: { deploymentName: 'luca' } } };
    const noSuch = await management.send('PUT', 'batchEndpoints/early', { body: early });
    expect(problemsOf(noSuch)).toMatchObject([{ path: 'properties.defaults.deploymentName' }]);
  });
});

describe('a batch deployment', () => {
  const at = 'batchEndpoints/night/deployments';

  it('shows what was asked with the defaults that Azure applies', async () => {
    const made = await management.send('PUT', `${at}/luca`, { body: deployment() });
    expect([made.status, made.text]).toEqual([201, expect.any(String)]);
    const shown = await ended('batch-deployment', 'night/luca', `${at}/LUCA`);
    expect(shown.json).toMatchObject({
      id: `${workspace}/batchEndpoints/night/deployments/luca`,
      name: 'luca',
      properties: {
        provisioningState: 'Succeeded',
        model: { referenceType: 'Id', assetId: `${workspace}/models/fern/versions/1` },
        codeConfiguration: { codeId: `${workspace}/codes/score/versions/1`, scoringScript: 'batch_score.py' },
        compute: `${workspace}/computes/pool`,
        resources: { instanceCount: 2 },
        miniBatchSize: 10,
        maxConcurrencyPerInstance: 1,
        outputAction: 'AppendRow',
        outputFileName: 'predictions.csv',
        errorThreshold: -1,
        retrySettings: { maxRetries: 3, timeout: 'PT30S' },
      },
    });
    expect((await management.send('GET', at)).json.value).toMatchObject([{ name: 'luca' }]);
    expect((await management.send('GET', `${at}/luca/revisions`)).json.value.length).toBeGreaterThan(0);
    const patched = await management.send('PATCH', `${at}/luca`, { body: { tags: { a: 'b' } } });
    expect(patched.json).toMatchObject({ tags: { a: 'b' }, properties: { miniBatchSize: 10 } });
    await management.registry.end('batch-deployment', 'night/luca', 'Succeeded');
  });

  it('becomes the default of its endpoint, and cannot be deleted while it is', async () => {
    const properties = { ...endpoint.properties, defaults: { deploymentName: 'Luca' } };
    const put = await management.send('PUT', 'batchEndpoints/night', { body: { ...endpoint, properties } });
    expect(put.json.properties.defaults).toEqual({ deploymentName: 'luca' });
    await management.registry.end('batch-endpoint', 'night', 'Succeeded');
    const refused = await management.send('DELETE', `${at}/luca`);
    expect(refused.json.error.additionalInfo[0].info.reason).toBe('DEPLOYMENT_IS_DEFAULT');
  });

  it('gets the newest version for @latest, and a script that is not there is refused', async () => {
    const model = { referenceType: 'Id', assetId: 'azureml:fern@latest' };
    const made = await management.send('PUT', `${at}/new`, { body: deployment({ model }) });
    expect(made.json.properties.model.assetId).toBe(`${workspace}/models/fern/versions/2`);
    const wrong = {
      model: { referenceType: 'Id', assetId: 'azureml:nobody@latest' },
      codeConfiguration: { codeId: 'azureml:score:1', scoringScript: 'none.py' },
    };
    const refused = await management.send('PUT', `${at}/wrong`, { body: deployment(wrong) });
    expect(problemsOf(refused)).toMatchObject([
      { path: 'properties.model.assetId', problem: "there is no model 'nobody'" },
      { path: 'properties.codeConfiguration.scoringScript', problem: expect.stringContaining("no 'none.py'") },
    ]);
    expect(await management.registry.has('batch-deployment', 'night/wrong')).toBe(false);
  });

  it('goes by an operation; its endpoint takes the rest along', async () => {
    await management.registry.end('batch-deployment', 'night/new', 'Succeeded');
    const deleted = await management.send('DELETE', `${at}/new`);
    expect(deleted.status).toBe(202);
    await management.registry.finish('batch-deployment', 'night/new');
    expect((await management.send('DELETE', `${at}/new`)).status).toBe(204);
    expect((await management.send('GET', 'batchEndpoints/nobody/deployments')).status).toBe(404);
  });
});

describe('data', () => {
  const put = (place: string, properties: Record<string, unknown>) =>
    management.send('PUT', `data/${place}`, { body: { properties } });

  it('is registered from an upload, found by its newest version, and archived', async () => {
    const uri = await uploadFolder(management, 'd1/photos', { 'a.png': 'a', 'sub/b.png': 'b' });
    for (const version of ['1', '2']) {
      const made = await put(`photos/versions/${version}`, { dataType: 'uri_folder', dataUri: `${uri}/` });
      expect(made.status).toBe(201);
      expect(made.json.properties).toMatchObject({ provisioningState: 'Succeeded', dataType: 'uri_folder', tags: {} });
    }
    const container = await management.send('GET', 'data/Photos');
    expect(container.json.properties).toMatchObject({ latestVersion: '2', nextVersion: '3', dataType: 'uri_folder' });
    const newest = await management.send('GET', 'data/photos/versions?$orderBy=createdtime%20desc&$top=1');
    expect(newest.json.value).toMatchObject([{ name: '2' }]);
    expect((await management.send('GET', 'data')).json.value).toMatchObject([{ name: 'photos' }]);
    const { properties } = newest.json.value[0];
    await put('photos/versions/2', { ...properties, isArchived: true });
    expect((await management.send('GET', 'data/photos')).json.properties.latestVersion).toBe('1');
    expect((await management.send('DELETE', 'data/photos/versions/2')).status).toBe(200);
  });

  it('that was uploaded stays as it is; a place that is only pointed at may grow', async () => {
    const upload = async (container: string, path: string) =>
      (await management.send('PUT', `/blob/${container}/${path}`, { raw: 'x', headers: blockBlob })).status;
    const blockBlob = { 'x-ms-blob-type': 'BlockBlob' };
    expect(await upload('workspaceblobstore', 'LocalUpload/d1/photos/late.png')).toBe(409);
    mkdirSync(join(management.artifacts, 'camera', 'night'), { recursive: true });
    writeFileSync(join(management.artifacts, 'camera', 'night', 'a.png'), 'a');
    const made = await put('camera/versions/1', {
      dataType: 'uri_folder',
      dataUri: 'azureml://datastores/camera/paths/night',
    });
    expect(made.status).toBe(201);
    expect(await upload('camera', 'night/b.png')).toBe(201);
  });

  it('must be there, and be what it says it is', async () => {
    const dataUri = await uploadFolder(management, 'd2/rows', { 'rows.csv': 'a,b\n' });
    const folder = await put('rows/versions/1', { dataType: 'uri_file', dataUri });
    expect(problemsOf(folder)).toMatchObject([
      {
        path: 'properties.dataUri',
        problem: expect.stringContaining('is a folder'),
        expected: 'a file, as uri_file has it',
      },
    ]);
    expect((await put('rows/versions/1', { dataType: 'uri_file', dataUri: `${dataUri}/rows.csv` })).status).toBe(201);
    const none = await put('rows/versions/2', { dataType: 'uri_folder', dataUri: `${dataUri}/none` });
    expect(problemsOf(none)).toMatchObject([{ path: 'properties.dataUri' }]);
  });
});

describe('a component', () => {
  it('is stored as the SDK sends it, and given back', async () => {
    const componentSpec = {
      name: 'tidy',
      version: '1',
      type: 'command',
      inputs: { x: { type: 'uri_folder' } },
      command: 'ls ${{inputs.x}}',
      environment: `azureml:${workspace}/environments/py/versions/1`,
    };
    const body = { properties: { componentSpec, isAnonymous: false } };
    expect((await management.send('GET', 'components/tidy/versions/1')).status).toBe(404);
    expect((await management.send('PUT', 'components/tidy/versions/1', { body })).status).toBe(201);
    const shown = await management.send('GET', 'components/tidy/versions/1');
    expect(shown.json.properties.componentSpec).toEqual(componentSpec);
    expect((await management.send('GET', 'components/tidy')).json.properties.latestVersion).toBe('1');
    const unsound = { ...componentSpec, command: 'ls ${{inputs.y}}' };
    const refused = await management.send('PUT', 'components/tidy/versions/2', {
      body: { properties: { componentSpec: unsound } },
    });
    expect(problemsOf(refused)[0]?.path).toMatch(/^properties\.componentSpec/);
  });
});
