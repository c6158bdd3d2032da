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
});
afterAll(async () => {
  await management.stop();
  await nats.stop();
  data.remove();
});

const endpoint = { location: 'local', properties: { authMode: 'Key' } };
const onnx = (changes: Record<string, unknown> = {}) => ({
  location: 'local',
  sku: { name: 'Default', capacity: 2 },
  properties: { endpointComputeType: 'Managed', instanceType: 'Standard_DS2_v2', model: 'azureml:fern:1', ...changes },
});

/** Path and query of an address in an answer's header. */
function follow(answer: Answered, header: string): string {
  const address = answer.headers.get(header) ?? '';
  expect(address.startsWith(management.url)).toBe(true);
  return address.slice(management.url.length);
}

function problemsOf(answer: Answered): { path: string; problem: string }[] {
  return answer.json.error.additionalInfo[0].info.problems;
}

describe('an endpoint', () => {
  it('is made by PUT: 201, the operation to ask, then 200 for the same again', async () => {
    const made = await management.send('PUT', 'onlineEndpoints/cars?api-version=2022-02-01-preview', {
      body: endpoint,
    });
    expect(made.status).toBe(201);
    expect(made.headers.get('retry-after')).toBe('1');
    expect(made.headers.get('x-ms-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.json).toMatchObject({
      id: `${workspace}/onlineEndpoints/cars`,
      name: 'cars',
      location: 'local',
      properties: { provisioningState: 'Creating', authMode: 'Key', properties: {}, traffic: {} },
    });
    const status = follow(made, 'azure-asyncoperation');
    await management.registry.report('online-endpoint', 'cars', 'thinking');
    expect(status).toMatch(/\?api-version=2022-02-01-preview$/);
    const running = await management.send('GET', status);
    expect(running.json).toMatchObject({ status: 'InProgress', step: 'thinking', percentComplete: 10 });
    expect(running.headers.get('retry-after')).toBe('1');
    await management.registry.end('online-endpoint', 'cars', 'Succeeded');
    const ended = await management.send('GET', status);
    expect(ended.json.status).toBe('Succeeded');
    expect(ended.json.endTime).toBeDefined();
    expect((await management.send('PUT', 'onlineEndpoints/CARS', { body: endpoint })).status).toBe(200);
    await management.registry.end('online-endpoint', 'cars', 'Succeeded');
  });

  it('is found whatever the case of its path, and its names are echoed', async () => {
    const odd = '/Subscriptions/S1/RESOURCEGROUPS/Rg/providers/microsoft.machinelearningservices/Workspaces/Mine';
    const shown = await management.send('GET', `${odd}/OnlineEndpoints/CARS/`);
    expect(shown.status).toBe(200);
    expect(shown.json.id).toBe(
      '/subscriptions/S1/resourceGroups/Rg/providers/Microsoft.MachineLearningServices/workspaces/Mine/onlineEndpoints/cars',
    );
    expect(shown.headers.get('etag')).toBe(`"${shown.json.etag}"`);
  });

  it('tells in its operation why it failed, and may be written again', async () => {
    const made = await management.send('PUT', 'onlineEndpoints/broken', { body: endpoint });
    await management.registry.end('online-endpoint', 'broken', 'Failed', { code: 'OutOfQuota', message: 'no room' });
    const ended = await management.send('GET', follow(made, 'azure-asyncoperation'));
    expect(ended.json).toMatchObject({ status: 'Failed', error: { code: 'OutOfQuota', message: 'no room' } });
    const shown = await management.send('GET', 'onlineEndpoints/broken');
    expect(shown.json.properties.provisioningState).toBe('Failed');
    expect(shown.json.properties.mooring.error).toEqual({ code: 'OutOfQuota', message: 'no room' });
    expect((await management.send('PUT', 'onlineEndpoints/broken', { body: endpoint })).status).toBe(200);
  });

  it('is changed only on top of what was read when an etag comes along', async () => {
    const etag = (await management.send('GET', 'onlineEndpoints/cars')).headers.get('etag') ?? '';
    const write = (ifMatch: string, description: string) =>
      management.send('PUT', 'onlineEndpoints/cars', {
        body: { ...endpoint, properties: { ...endpoint.properties, description } },
        headers: { 'if-match': ifMatch },
      });
    expect((await write(etag, 'one')).status).toBe(200);
    const stale = await write(etag, 'two');
    expect(stale.status).toBe(409);
    expect(stale.json.error.additionalInfo[0].info.reason).toBe('STALE_ETAG');
    const onlyNew = { body: endpoint, headers: { 'if-none-match': '*' } };
    expect((await management.send('PUT', 'onlineEndpoints/cars', onlyNew)).status).toBe(409);
  });

  it('takes other tags by PATCH and keeps the rest', async () => {
    const body = { ...endpoint, tags: { a: 'b' }, properties: { ...endpoint.properties, description: 'kept' } };
    await management.send('PUT', 'onlineEndpoints/tagged', { body });
    const patched = await management.send('PATCH', 'onlineEndpoints/tagged', { body: { tags: { c: 'd' } } });
    expect(patched.status).toBe(200);
    expect(patched.json).toMatchObject({ tags: { c: 'd' }, properties: { description: 'kept' } });
    expect(patched.json.tags).not.toHaveProperty('a');
    const refused = await management.send('PATCH', 'onlineEndpoints/tagged', { body: { properties: {} } });
    expect(refused.status).toBe(400);
    expect(problemsOf(refused)).toMatchObject([{ path: 'properties' }]);
    expect((await management.send('PATCH', 'onlineEndpoints/nobody', { body: { tags: {} } })).status).toBe(404);
  });

  it('is refused with everything that is wrong at once, and not stored', async () => {
    const properties = { authMode: 'Secret', traffic: { blue: 30 }, colour: 'red' };
    const refused = await management.send('PUT', 'onlineEndpoints/9bad', { body: { properties } });
    expect(refused.status).toBe(400);
    expect(problemsOf(refused).map(({ path }) => path)).toEqual(
      expect.arrayContaining(['name', 'properties.authMode', 'properties.traffic', 'properties.colour']),
    );
    expect(refused.json.error).toMatchObject({ code: 'BadArgument', target: 'name' });
    expect((await management.send('GET', 'onlineEndpoints/9bad')).status).toBe(404);
  });

  it('that asks only for what comes later is answered 501 with the capability’s name', async () => {
    const refused = await management.send('PUT', 'onlineEndpoints/tokens', {
      body: { properties: { authMode: 'AMLToken' } },
    });
    expect(refused.status).toBe(501);
    expect(refused.json.error.message).toContain('token authentication');
    expect((await management.send('POST', 'onlineEndpoints/cars/token')).status).toBe(501);
  });

  it('shows its revisions, newest last', async () => {
    const { json } = await management.send('GET', 'onlineEndpoints/tagged/revisions');
    const generations = json.value.map((revision: { generation: number }) => revision.generation);
    expect(generations).toEqual(generations.toSorted((a: number, b: number) => a - b));
    expect(json.value.at(-1)).toMatchObject({ modifiedBy: 'admin', resource: { name: 'tagged', tags: { c: 'd' } } });
  });

  it('is listed page by page', async () => {
    const first = await management.send('GET', 'onlineEndpoints?$top=2&$orderBy=name&api-version=x');
    expect(first.json.value).toHaveLength(2);
    const next = new URL(first.json.nextLink as string);
    expect(next.origin).toBe(management.url);
    const second = await management.send('GET', next.pathname + next.search);
    expect(second.json.nextLink).toBeUndefined();
    const names = [...first.json.value, ...second.json.value].map(({ name }: { name: string }) => name);
    expect(names).toEqual(['broken', 'cars', 'tagged']);
    expect((await management.send('GET', 'onlineEndpoints?name=CARS')).json.value).toHaveLength(1);
  });

  it('is deleted by an operation; what is absent is 204', async () => {
    await management.send('PUT', 'onlineEndpoints/gone', { body: endpoint });
    const deleted = await management.send('DELETE', 'onlineEndpoints/gone');
    expect(deleted.status).toBe(202);
    const result = follow(deleted, 'location');
    expect((await management.send('GET', result)).status).toBe(202);
    await management.registry.finish('online-endpoint', 'gone');
    expect((await management.send('GET', result)).status).toBe(204);
    expect((await management.send('GET', follow(deleted, 'azure-asyncoperation'))).json.status).toBe('Succeeded');
    expect((await management.send('DELETE', 'onlineEndpoints/gone')).status).toBe(204);
    expect((await management.send('DELETE', 'onlineEndpoints/9')).status).toBe(204);
  });

  it('has keys as soon as they are made; one is made new while the other stays', async () => {
    const early = await management.send('POST', 'onlineEndpoints/cars/listKeys');
    expect(early.status).toBe(503);
    expect(early.headers.get('retry-after')).toBe('1');
    await management.ensureKeys('cars');
    const before = await management.send('POST', 'onlineEndpoints/Cars/listKeys', { body: {} });
    expect(before.headers.get('cache-control')).toBe('no-store');
    const body = { keyType: 'Primary', keyValue: before.json.primaryKey };
    const made = await management.send('POST', 'onlineEndpoints/cars/regenerateKeys', { body });
    expect(made.status).toBe(202);
    expect((await management.send('GET', follow(made, 'location'))).status).toBe(204);
    const after = await management.send('POST', 'onlineEndpoints/cars/listKeys');
    expect(after.json.primaryKey).not.toBe(before.json.primaryKey);
    expect(after.json.secondaryKey).toBe(before.json.secondaryKey);
    expect(
      (await management.send('POST', 'onlineEndpoints/cars/regenerateKeys', { body: { keyType: 'x' } })).status,
    ).toBe(400);
    expect((await management.send('POST', 'onlineEndpoints/nobody/listKeys')).status).toBe(404);
  });

  it('never takes a key that the caller chose, and says so', async () => {
    const before = await management.send('POST', 'onlineEndpoints/cars/listKeys');
    const body = { keyType: 'Secondary', keyValue: 'my-own-key' };
    const refused = await management.send('POST', 'onlineEndpoints/cars/regenerateKeys', { body });
    expect([refused.status, refused.json.error.code]).toEqual([501, 'NotSupportedYet']);
    expect(refused.json.error.message).toContain('keyValue');
    expect(refused.text).not.toContain('my-own-key');
    expect((await management.send('POST', 'onlineEndpoints/cars/listKeys')).json).toEqual(before.json);
  });

  it('reports what all routers saw of its mirror', async () => {
    const { json } = await management.send('GET', 'onlineEndpoints/cars/mirrorReport');
    expect(json.value).toEqual([]);
    const connection = await nats.connect();
    const bucket = await connection.bucket('mooring_mirror');
    const seen = {
      endpoint: 'cars',
      deployment: 'luca',
      since: '2026-01-01T00:00:00Z',
      updatedAt: '2026-01-01T00:00:00Z',
      sent: 4,
      dropped: 0,
      compared: { equal: 4, within: 0, differs: 0, failed: 0 },
      latencyDeltaMs: { p50: 1, p90: 1, p99: 1, count: 4 },
      recentDifferences: [],
    };
    for (const routerId of ['a', 'b']) await bucket.put(`cars.luca.${routerId}`, { ...seen, routerId });
    const report = await management.send('GET', 'onlineEndpoints/cars/mirrorReport');
    expect(report.json.value).toMatchObject([{ deployment: 'luca', sent: 8, routers: 2 }]);
    await connection.close();
  });

  it('has scoring URIs at the gateway, wherever that says it listens', async () => {
    const connection = await nats.connect();
    const members = await connection.bucket('mooring_members');
    expect((await members.get('management'))?.value).toMatchObject({ service: 'management', url: management.url });
    await members.put('gateway', { service: 'gateway', id: 'x', url: 'http://127.0.0.1:9', startedAt: '' });
    await expect
      .poll(async () => (await management.send('GET', 'onlineEndpoints/cars')).json.properties.scoringUri)
      .toBe('http://127.0.0.1:9/endpoints/cars/score');
    await connection.close();
  });
});

describe('assets', () => {
  const put = (collection: string, place: string, properties: Record<string, unknown>) =>
    management.send('PUT', `${collection}/${place}`, { body: { properties } });

  it('refer to files that were uploaded, or are refused', async () => {
    const modelUri = await uploadFolder(management, 'f1/fern', { 'weights.json': '{}' });
    const made = await put('models', 'fern/versions/1', { modelUri, modelType: 'custom_model' });
    expect(made.status).toBe(201);
    expect(made.headers.has('azure-asyncoperation')).toBe(false);
    expect(made.json.properties).toMatchObject({
      provisioningState: 'Succeeded',
      flavors: {},
      properties: {},
      tags: {},
    });
    expect(made.json.properties.modelUri).toMatch(
      /^azureml:.*\/datastores\/workspaceblobstore\/paths\/LocalUpload\/f1\/fern$/,
    );
    const again = await put('models', 'fern/versions/1', { modelUri: made.json.properties.modelUri });
    expect(again.status).toBe(200);
    const nothing = await put('models', 'fern/versions/2', { modelUri: `${modelUri}x` });
    expect(nothing.status).toBe(400);
    expect(problemsOf(nothing)).toMatchObject([{ path: 'properties.modelUri' }]);
    const file = await put('models', 'fern/versions/2', {
      modelUri: `${modelUri}/weights.json`,
      modelType: 'mlflow_model',
    });
    expect(problemsOf(file)[0]?.problem).toContain('is a file');
  });

  it('of one name make a container that knows the next version', async () => {
    const modelUri = await uploadFolder(management, 'f2/m', { a: '1' });
    expect((await management.send('GET', 'models/oak')).status).toBe(404);
    for (const version of ['1', '2']) await put('models', `oak/versions/${version}`, { modelUri });
    const container = await management.send('GET', 'models/OAK');
    expect(container.json).toMatchObject({ name: 'oak', properties: { latestVersion: '2', nextVersion: '3' } });
    const newest = await management.send('GET', 'models/oak/versions?$orderBy=createdtime%20desc&$top=1');
    expect(newest.json.value).toMatchObject([{ name: '2' }]);
    const names = (await management.send('GET', 'models')).json.value.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['fern', 'oak']));
    expect((await management.send('GET', 'models/nobody/versions')).json.value).toEqual([]);
  });

  it('are archived one by one or all together, and come back', async () => {
    const one = (await management.send('GET', 'models/oak/versions/2')).json;
    await put('models', 'oak/versions/2', { ...one.properties, isArchived: true });
    expect((await management.send('GET', 'models/oak')).json.properties.latestVersion).toBe('1');
    const all = await put('models', 'oak', { isArchived: true, tags: {}, properties: {} });
    expect(all.json.properties.isArchived).toBe(true);
    const listed = async (view: string) => {
      const { json } = await management.send('GET', `models?listViewType=${view}`);
      return json.value.some(({ name }: { name: string }) => name === 'oak');
    };
    expect([await listed('ActiveOnly'), await listed('ArchivedOnly'), await listed('All')]).toEqual([
      false,
      true,
      true,
    ]);
    await put('models', 'oak', { isArchived: false });
    expect((await management.send('GET', 'models/oak')).json.properties.latestVersion).toBe('2');
    expect((await put('models', 'oak', { tags: { a: 'b' } })).status).toBe(400);
    expect((await put('models', 'nobody', { isArchived: true })).status).toBe(404);
  });

  it('are found by the hash of their code', async () => {
    const codeUri = await uploadFolder(management, 'f3/code', { 'score.py': '' });
    const properties = { hash_sha256: 'abc123', hash_version: '202208' };
    await put('codes', '0a1b/versions/1', { codeUri, isAnonymous: true, properties });
    const found = await management.send('GET', 'codes/another/versions?hash=ABC123&hashVersion=202208');
    expect(found.json.value).toMatchObject([{ id: `${workspace}/codes/0a1b/versions/1` }]);
    expect((await management.send('GET', 'codes/0a1b/versions?hash=no')).json.value).toEqual([]);
    expect((await management.send('GET', 'codes')).json.value).toEqual([]);
  });

  it('are deleted at once', async () => {
    const modelUri = await uploadFolder(management, 'f4/m', { a: '1' });
    await put('models', 'brief/versions/1', { modelUri });
    expect((await management.send('DELETE', 'models/brief/versions/1')).status).toBe(200);
    expect((await management.send('DELETE', 'models/brief/versions/1')).status).toBe(204);
    expect((await management.send('DELETE', 'models/brief')).status).toBe(501);
  });
});

describe('a deployment', () => {
  const at = 'onlineEndpoints/cars/deployments';

  it('shows what was asked with Azure’s defaults, environment variables too', async () => {
    const body = onnx({ environmentVariables: { TOKEN: 's3cret-of-a-user' } });
    const made = await management.send('PUT', `${at}/blue`, { body });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      sku: { capacity: 2 },
      properties: {
        endpointComputeType: 'Managed',
        scaleSettings: { scaleType: 'Default' },
        environmentVariables: { TOKEN: 's3cret-of-a-user' },
        model: `${workspace}/models/fern/versions/1`,
        requestSettings: { requestTimeout: 'PT5S' },
      },
    });
    const listed = await management.send('GET', at);
    expect(listed.json.value).toMatchObject([{ name: 'blue' }]);
    const skus = await management.send('GET', `${at}/blue/skus`);
    expect(skus.json.value).toMatchObject([{ capacity: { minimum: 1, maximum: 50, scaleType: 'Manual' } }]);
  });

  it('is scaled by PATCH and keeps its variables', async () => {
    const patched = await management.send('PATCH', `${at}/blue`, { body: { sku: { name: 'Default', capacity: 5 } } });
    expect(patched.json).toMatchObject({
      sku: { capacity: 5 },
      properties: { environmentVariables: { TOKEN: 's3cret-of-a-user' } },
    });
  });

  it('gets the newest version for @latest', async () => {
    const made = await management.send('PUT', `${at}/latest`, { body: onnx({ model: 'azureml:oak@latest' }) });
    expect(made.json.properties.model).toBe(`${workspace}/models/oak/versions/2`);
    const none = await management.send('PUT', `${at}/latest`, { body: onnx({ model: 'azureml:nobody@latest' }) });
    expect(problemsOf(none)).toMatchObject([{ path: 'properties.model', problem: "there is no model 'nobody'" }]);
  });

  it('of an endpoint that is not there is refused by the registry, in words of the path', async () => {
    const refused = await management.send('PUT', 'onlineEndpoints/nobody/deployments/blue', { body: onnx() });
    expect(refused.status).toBe(400);
    expect(problemsOf(refused)).toMatchObject([{ path: 'endpointName' }]);
  });

  it.each([
    ['has a syntax error', 'bad.py', /line 3, column \d+/],
    ['is not there', 'none.py', /there is no 'none.py'/],
    ['is a folder', 'sub', /is a folder/],
    ['lies outside', '../score.py', /leads out/],
    ['lies anywhere', '/etc/passwd', /leads out/],
    ['is the folder itself', 'sub/..', /leads out/],
    ['has a name that nothing can have', 'a\u0000.py', /there is no/],
  ])('whose scoring script %s is refused before anything is stored', async (_what, scoringScript, problem) => {
    const bad = 'def init():\n    pass\ndef run(data)\n    return data\n';
    const codeUri = await uploadFolder(management, 'c1/code', { 'bad.py': bad, 'sub/x.py': '' });
    await management.send('PUT', 'codes/c1/versions/1', { body: { properties: { codeUri } } });
    const body = onnx({ codeConfiguration: { codeId: 'azureml:c1:1', scoringScript } });
    const refused = await management.send('PUT', `${at}/scripted`, { body });
    expect(refused.status).toBe(400);
    expect(problemsOf(refused)).toMatchObject([
      { path: 'properties.codeConfiguration.scoringScript', problem: expect.stringMatching(problem) },
    ]);
    expect(await management.registry.has('online-deployment', 'cars/scripted')).toBe(false);
  });

  it('whose script parses is stored, and the script never ran', async () => {
    const script = 'raise SystemExit(open("/nonexistent/file"))\ndef run(data):\n    return data\n';
    const codeUri = await uploadFolder(management, 'c2/code', { 'app/score.py': script });
    await management.send('PUT', 'codes/c2/versions/1', { body: { properties: { codeUri } } });
    const body = onnx({
      codeConfiguration: { codeId: `${workspace}/codes/c2/versions/1`, scoringScript: './app/score.py' },
    });
    const made = await management.send('PUT', `${at}/sound`, { body });
    expect(made.status).toBe(201);
    expect(made.json.properties.codeConfiguration.scoringScript).toBe('app/score.py');
  });

  it('has logs at the controller, which may be away', async () => {
    const away = await management.send('POST', `${at}/blue/getLogs`, { body: { tail: 10 } });
    expect(away.status).toBe(503);
    expect(away.json.error.additionalInfo[0].info.reason).toBe('CONTROLLER_UNAVAILABLE');
    expect(away.text).not.toContain('.sock');
    const wrong = await management.send('POST', `${at}/blue/getLogs`, { body: { tail: -1, containerType: 'x' } });
    expect(problemsOf(wrong).map(({ path }) => path)).toEqual(['tail', 'containerType']);
    expect((await management.send('POST', `${at}/nobody/getLogs`, { body: {} })).status).toBe(404);
  });
});

describe('what comes later', () => {
  it.each([
    ['PUT', 'serverlessEndpoints/s', 'serverless endpoints'],
    ['PUT', 'jobs/j', 'jobs of your own making'],
    ['GET', 'datastores?isDefault=true', 'datastores'],
    ['GET', 'computes/c', 'compute targets'],
  ])('%s %s is 501 and names it', async (method, path, capability) => {
    const refused = await management.send(method, path, method === 'PUT' ? { body: {} } : {});
    expect(refused.status).toBe(501);
    expect(refused.json.error).toMatchObject({ code: 'NotSupportedYet', message: expect.stringContaining(capability) });
  });
});

describe('the rest', () => {
  it('jobs are at the batch-scheduler, which may be away', async () => {
    for (const path of ['jobs', 'jobs/one']) {
      const away = await management.send('GET', path);
      expect([away.status, away.json.error.additionalInfo[0].info.reason]).toEqual([
        503,
        'BATCH_SCHEDULER_UNAVAILABLE',
      ]);
      expect(away.headers.get('retry-after')).toBe('1');
    }
  });

  it('the workspace tells clients what they ask first', async () => {
    const { json } = await management.send('GET', workspace);
    expect(json).toMatchObject({
      name: 'default',
      location: 'local',
      properties: { discoveryUrl: expect.any(String) },
    });
    expect(json.properties.workspaceId).toEqual(expect.any(String));
    expect(json.properties.mlFlowTrackingUri).toEqual(expect.any(String));
  });

  it('paths that are not there are 404, methods that are not there 405 with those that are', async () => {
    const nothing = await management.send('GET', 'nothing/at/all');
    expect(nothing.status).toBe(404);
    expect(nothing.json.error.code).toBe('PathNotFound');
    const wrong = await management.send('POST', 'onlineEndpoints/cars', { body: {} });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('GET, PUT, PATCH, DELETE');
  });

  it("metrics come under Triton's names on request; another set of names is refused", async () => {
    const page = await management.send('GET', '/metrics?names=triton', { token: 'none' });
    expect(page.text).toContain('# TYPE nv_inference_count counter');
    expect(page.text).not.toContain('mooring_');
    expect((await management.send('GET', '/metrics?names=nagios', { token: 'none' })).status).toBe(400);
  });

  it('metrics of every process are on one page', async () => {
    const page = await management.send('GET', '/metrics', { token: 'none' });
    expect(page.headers.get('content-type')).toContain('version=0.0.4');
    expect(page.text).toMatch(/process_cpu_seconds_total\{process="[^"]+"\}/);
    expect(page.text.match(/# TYPE process_cpu_seconds_total/g)).toHaveLength(1);
  });

  it('every change is in the audit, accepted or refused, newest first, without what was sent', async () => {
    const { json, text } = await management.send('GET', 'auditEvents?$top=1000');
    const events = json.value as { action: string; outcome: string; status: number; resource: string; time: string }[];
    expect(events.map(({ time }) => time)).toEqual(
      events
        .map(({ time }) => time)
        .toSorted()
        .toReversed(),
    );
    const seen = new Set(events.map(({ action, outcome }) => `${action} ${outcome}`));
    for (const event of [
      'onlineEndpoints/write accepted',
      'onlineEndpoints/write refused',
      'onlineEndpoints/delete accepted',
      'onlineEndpoints/listKeys/action accepted',
      'onlineEndpoints/regenerateKeys/action accepted',
      'onlineEndpoints/deployments/write accepted',
      'onlineEndpoints/deployments/write refused',
      'models/versions/write accepted',
      'codes/versions/startPendingUpload/action accepted',
    ]) {
      expect(seen).toContain(event);
    }
    const listed = events.find(({ action }) => action === 'onlineEndpoints/listKeys/action');
    expect(listed?.resource).toMatch(/\/onlineEndpoints\/\w+$/);
    expect(text).not.toContain('s3cret-of-a-user');
    expect(events.length).toBeLessThanOrEqual(1_000);
    expect((await management.send('GET', 'auditEvents?$top=2')).json.value).toHaveLength(2);
  });

  it('nothing secret is logged', async () => {
    const keys = await management.send('POST', 'onlineEndpoints/cars/listKeys');
    const log = management.logged.join('');
    for (const secret of ['s3cret-of-a-user', management.token, keys.json.primaryKey as string, 'sig=']) {
      expect(log).not.toContain(secret);
    }
  });
});
