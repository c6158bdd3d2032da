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
  management = await startTestManagement({ nats, data: data.path, jobs: true });
  const put = (path: string, properties: Record<string, unknown>) =>
    management.send('PUT', path, { body: { properties } });
  const codeUri = await uploadFolder(management, 'c/code', { 'score.py': 'def run(batch):\n    return batch\n' });
  await put('codes/score/versions/1', { codeUri });
  await put('models/fern/versions/1', { modelUri: await uploadFolder(management, 'm/model', { 'model.bin': '1' }) });
  await put('environments/py/versions/1', { image: 'ubuntu', condaFile: 'dependencies: [pip]\n' });
  await uploadFolder(management, 'in/photos', { 'a.png': 'a', 'b.png': 'b', 'c.png': 'c' });
  for (const name of ['night', 'day']) {
    await put(`batchEndpoints/${name}`, { authMode: 'aadToken' });
    await management.registry.end('batch-endpoint', name, 'Succeeded');
    const deployment = {
      model: { referenceType: 'Id', assetId: 'azureml:fern:1' },
      environmentId: 'azureml:py:1',
      codeConfiguration: { codeId: 'azureml:score:1', scoringScript: 'score.py' },
      compute: 'azureml:pool',
      miniBatchSize: 2,
    };
    await put(`batchEndpoints/${name}/deployments/luca`, deployment);
    await management.registry.end('batch-deployment', `${name}/luca`, 'Succeeded');
    await put(`batchEndpoints/${name}`, { authMode: 'aadToken', defaults: { deploymentName: 'luca' } });
    await management.registry.end('batch-endpoint', name, 'Succeeded');
  }
});
afterAll(async () => {
  await management.stop();
  await nats.stop();
  data.remove();
});

const uri = 'azureml://datastores/workspaceblobstore/paths/LocalUpload/in/photos';
const submit = (endpoint: string, name: string, tags: Record<string, string> = {}): Promise<string> =>
  management.submitJob(endpoint, {
    properties: { name, tags, inputData: { photos: { jobInputType: 'UriFolder', uri } } },
  });

async function until(name: string, status: string): Promise<Answered> {
  await expect
    .poll(async () => (await management.send('GET', `jobs/${name}`)).json.properties.status, { timeout: 15_000 })
    .toBe(status);
  return management.send('GET', `jobs/${name}`);
}

const namesOf = ({ json }: Answered): string[] => json.value.map(({ name }: { name: string }) => name);
const mfe = `/mferp/managementfrontend${workspace}/batchEndpoints`;

describe('a batch job in the control plane', () => {
  it('has the shape in which Azure’s SDK finds its state and its output', async () => {
    await submit('night', 'Shape', { team: 'photos' });
    const { json } = await until('shape', 'Running');
    expect(json).toMatchObject({
      id: `${workspace}/jobs/Shape`,
      name: 'Shape',
      type: 'Microsoft.MachineLearningServices/workspaces/jobs',
      properties: {
        jobType: 'Pipeline',
        status: 'Running',
        displayName: 'Shape',
        experimentName: 'night',
        services: {
          Studio: { jobServiceType: 'Studio', endpoint: `${management.url}${workspace}/jobs/Shape` },
          Tracking: { jobServiceType: 'Tracking', endpoint: management.url },
        },
        tags: { team: 'photos', 'azureml.batchrun': 'true' },
        settings: {},
        jobs: {},
        inputs: { photos: { jobInputType: 'uri_folder', uri } },
        outputs: {
          score: {
            jobOutputType: 'uri_folder',
            uri: expect.stringMatching(/\/datastores\/workspaceblobstore\/paths\/azureml\/Shape\/score$/),
          },
        },
        mooring: {
          endpoint: 'night',
          deployment: 'luca',
          attempt: 1,
          listing: { files: 3, items: 3, miniBatches: 2 },
          progress: { succeeded: 0, failed: 0 },
          usage: { items: 0 },
          output: { container: 'workspaceblobstore', folder: 'azureml/Shape/score' },
        },
      },
      systemData: { createdBy: 'x', createdAt: expect.any(String) },
    });
  });

  it('is cancelled, proven as far as it came, and resumed', async () => {
    const cancelled = await management.send('POST', 'jobs/shape/cancel', { body: {} });
    expect([cancelled.status, cancelled.json.properties.status]).toEqual([200, 'CancelRequested']);
    await until('shape', 'Canceled');
    const proof = await management.send('POST', 'jobs/shape/verify');
    expect(proof.status).toBe(200);
    expect(proof.json).toMatchObject({ ok: true, missing: 0, twice: 0, items: { in: 3, skipped: 3 } });
    const resumed = await management.send('POST', 'jobs/shape/resume');
    expect([resumed.status, resumed.json.properties.mooring.attempt]).toEqual([200, 2]);
    await until('shape', 'Running');
    expect((await management.send('POST', 'jobs/shape/resume')).json.error).toMatchObject({ code: 'JobNotResumable' });
    await management.send('POST', 'jobs/shape/cancel');
    await until('shape', 'Canceled');
    expect((await management.send('POST', 'jobs/shape/cancel')).json.properties.status).toBe('Canceled');
  });

  it('has logs, also before anybody has said anything', async () => {
    expect((await management.send('GET', 'jobs/shape/logs?tail=10')).json).toEqual({ content: '' });
    for (const tail of ['0', '-1', '100001', 'all']) {
      expect((await management.send('GET', `jobs/shape/logs?tail=${tail}`)).status).toBe(400);
    }
  });

  it.each([
    'GET jobs/nobody',
    'GET jobs/nobody/logs',
    'POST jobs/nobody/cancel',
    'POST jobs/nobody/verify',
    'GET jobs/a%00b',
  ])('that is not there is 404: %s', async (asked) => {
    const [method = '', path = ''] = asked.split(' ');
    const answer = await management.send(method, path);
    expect([answer.status, answer.json.error.code]).toEqual([404, 'ResourceNotFound']);
  });

  it('is audited when it is changed, and only then', async () => {
    const { json } = await management.send('GET', 'auditEvents?$top=1000');
    const actions = json.value
      .filter(({ resource }: { resource: string }) => /\/jobs\/shape$/i.test(resource))
      .map(({ action }: { action: string }) => action);
    expect([...new Set(actions)].toSorted()).toEqual(['jobs/cancel/action', 'jobs/resume/action']);
  });
});

describe('jobs', () => {
  it('are listed newest first, page by page, of all endpoints, of one, or of one deployment', async () => {
    await submit('day', 'one', { team: 'a' });
    await submit('night', 'two', { team: 'b' });
    await submit('day', 'three', { team: 'a' });
    expect(namesOf(await management.send('GET', 'jobs'))).toEqual(['three', 'two', 'one', 'Shape']);
    const first = await management.send('GET', 'jobs?$top=3&api-version=x');
    expect(namesOf(first)).toEqual(['three', 'two', 'one']);
    const next = new URL(first.json.nextLink as string);
    const second = await management.send('GET', next.pathname + next.search);
    expect([namesOf(second), second.json.nextLink]).toEqual([['Shape'], undefined]);
    const ofDay = await management.send('GET', `${mfe}/DAY/jobs?api-version=2020-09-01-dataplanepreview`);
    expect(namesOf(ofDay)).toEqual(['three', 'one']);
    expect(ofDay.json.value[0].properties).toMatchObject({
      status: expect.any(String),
      inputData: { photos: { jobInputType: 'UriFolder', uri } },
    });
    expect(namesOf(await management.send('GET', `${mfe}/night/deployments/Luca/jobs`))).toEqual(['two', 'Shape']);
    expect((await management.send('GET', `${mfe}/nobody/jobs`)).status).toBe(404);
    expect((await management.send('GET', `${mfe}/night/deployments/nobody/jobs`)).status).toBe(404);
  });

  it('are filtered by state, tag and type', async () => {
    const listed = async (query: string) => namesOf(await management.send('GET', `jobs?${query}`));
    expect(await listed('status=canceled')).toEqual(['Shape']);
    expect(await listed('status=Canceled&$top=1')).toEqual(['Shape']);
    expect(await listed('tag=team=a')).toEqual(['three', 'one']);
    expect(await listed('tags=team&jobType=Pipeline')).toEqual(['three', 'two', 'one', 'Shape']);
    expect(await listed('tag=azureml.batchrun=true&$top=2')).toEqual(['three', 'two']);
    expect(await listed('jobType=Command')).toEqual([]);
    expect(await listed('listViewType=ArchivedOnly')).toEqual([]);
    const page = await management.send('GET', 'jobs?tag=team=a&$top=1');
    expect(namesOf(page)).toEqual(['three']);
    const next = new URL(page.json.nextLink as string);
    expect(namesOf(await management.send('GET', next.pathname + next.search))).toEqual(['one']);
  });

  it.each(['status=Done', '$top=0', '$skip=3', '$orderBy=name', '$skipToken=nobody', 'status=a&status=b'])(
    'are not listed by %s',
    async (query) => expect((await management.send('GET', `jobs?${query}`)).status).toBe(400),
  );

  it('are made at the address of their endpoint alone', async () => {
    const refused = await management.send('PUT', 'jobs/mine', { body: { properties: {} } });
    expect([refused.status, refused.json.error.message]).toEqual([501, expect.stringContaining('scoringUri')]);
  });
});
