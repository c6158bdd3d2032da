import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededBelow, startTestNats, tempDir, type TempDir, type TestNats } from '@mooring/testing';
import { startTestManagement, workspace, type Answered, type TestManagement } from './testing/test-management.ts';
import { startUpload } from './testing/uploads.ts';

let nats: TestNats;
let data: TempDir;
let management: TestManagement;
let query = '';
beforeAll(async () => {
  nats = await startTestNats();
  data = tempDir();
  management = await startTestManagement({ nats, data: data.path, jobs: true });
  query = (await startUpload(management)).query;
  await management.send('PUT', 'onlineEndpoints/kept', { body: { properties: { authMode: 'Key' } } });
  await management.send('PUT', 'batchEndpoints/night', { body: { properties: { authMode: 'aadToken' } } });
});
afterAll(async () => {
  await management.stop();
  await nats.stop();
  data.remove();
});

const oddValues: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  'NaN',
  [],
  {},
  [[[]]],
  2 ** 53,
  '\u0000',
  '\ud800',
  'x'.repeat(10_000),
  { a: { b: {} } },
  [null],
  -0.5,
  'PT1000000H',
  'azureml:x:1',
  '../../etc/passwd',
  { constructor: { prototype: {} } },
];

/** `value` with one part of it exchanged, removed, renamed or doubled. */
function mutated(value: unknown, pick: (below: number) => number): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0 || pick(5) === 0) {
    return oddValues[pick(oddValues.length)];
  }
  const copy: Record<string, unknown> = { ...value };
  const name = Object.keys(copy)[pick(Object.keys(copy).length)] ?? '';
  const act = pick(5);
  if (act === 0) delete copy[name];
  else if (act === 1) copy[`${name}x`] = copy[name];
  else copy[name] = mutated(copy[name], pick);
  return Array.isArray(value) ? Object.values(copy) : copy;
}

const bodies: Readonly<Record<string, unknown>> = {
  'onlineEndpoints/odd': {
    location: 'local',
    tags: { a: 'b' },
    identity: { type: 'SystemAssigned' },
    properties: { authMode: 'Key', traffic: { blue: 100 }, mirrorTraffic: { green: 10 }, properties: { a: 'b' } },
  },
  'onlineEndpoints/kept/deployments/odd': {
    location: 'local',
    sku: { name: 'Default', capacity: 1 },
    properties: {
      endpointComputeType: 'Managed',
      instanceType: 'Standard_DS2_v2',
      model: 'azureml:fern@latest',
      environmentId: `${workspace}/environments/e/versions/1`,
      environmentVariables: { A: 'b' },
      codeConfiguration: { codeId: 'azureml:c:1', scoringScript: 'score.py' },
      requestSettings: { requestTimeout: 'PT3S', maxConcurrentRequestsPerInstance: 2, maxQueueWait: 'PT0.5S' },
      livenessProbe: {
        initialDelay: 'PT1S',
        period: 'PT5S',
        timeout: 'PT2S',
        successThreshold: 1,
        failureThreshold: 9,
      },
      scaleSettings: { scaleType: 'Default' },
      dataCollector: { collections: { request: { dataCollectionMode: 'Enabled' } } },
      properties: { 'mooring.batch.max-rows': '8' },
    },
  },
  'models/odd/versions/1': {
    properties: {
      modelType: 'custom_model',
      modelUri: 'azureml://datastores/workspaceblobstore/paths/LocalUpload/x',
      flavors: { python: { data: { a: 'b' } } },
      isArchived: false,
      tags: {},
    },
  },
  'environments/odd/versions/1': { properties: { image: 'ubuntu', condaFile: 'name: x', osType: 'Linux' } },
  'codes/odd/versions/1': { properties: { codeUri: 'http://x/blob/workspaceblobstore/LocalUpload/x' } },
  'batchEndpoints/odd': {
    location: 'local',
    tags: { a: 'b' },
    properties: {
      authMode: 'aadToken',
      description: 'd',
      properties: { a: 'b' },
      defaults: { deploymentName: 'luca' },
    },
  },
  'batchEndpoints/night/deployments/odd': {
    location: 'local',
    properties: {
      model: { referenceType: 'Id', assetId: 'azureml:fern@latest' },
      environmentId: `${workspace}/environments/e/versions/1`,
      codeConfiguration: { codeId: 'azureml:c:1', scoringScript: 'score.py' },
      compute: `${workspace}/computes/pool`,
      resources: { instanceCount: 2, properties: {} },
      miniBatchSize: 10,
      outputAction: 'AppendRow',
      outputFileName: 'predictions.csv',
      retrySettings: { maxRetries: 3, timeout: 'PT30S' },
      errorThreshold: -1,
      loggingLevel: 'info',
      environmentVariables: { A: 'b' },
      properties: { 'mooring.batch.rows-per-mini-batch': '100' },
    },
  },
  'data/odd/versions/1': {
    properties: {
      dataType: 'uri_folder',
      dataUri: 'azureml://datastores/workspaceblobstore/paths/x/y',
      tags: { a: 'b' },
    },
  },
  'components/odd/versions/1': {
    properties: { componentSpec: { name: 'x', type: 'command', command: 'true', inputs: { a: { type: 'string' } } } },
  },
  'models/odd': { properties: { isArchived: true } },
};

/** ARM's envelope, or a success; never a fault of ours and never its insides. */
function expectSane(answer: Answered, what: string): void {
  const shown = `${what} -> ${answer.status} ${answer.text.slice(0, 300)}`;
  expect(answer.status < 500 || answer.status === 501, shown).toBe(true);
  expect(answer.headers.get('x-ms-request-id'), shown).toMatch(/^[0-9a-f-]{36}$/);
  expect(answer.text, shown).not.toMatch(/node_modules|\.ts:\d|\\n +at /);
  if (answer.status < 400 || answer.text === '') return;
  if (answer.text.startsWith('<?xml')) return;
  expect(answer.json?.error, shown).toMatchObject({ code: expect.any(String), message: expect.any(String) });
  expect(answer.json.error.additionalInfo[0].info.code, shown).toEqual(expect.any(String));
}

async function attack(cases: readonly (() => Promise<{ answer: Answered; what: string }>)[]): Promise<void> {
  const queue = [...cases];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { answer, what } = await next();
      expectSane(answer, what);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  expect((await management.send('GET', 'onlineEndpoints/kept')).status).toBe(200);
  const unexpected = management.logged.filter((line) => line.includes('"level":50'));
  expect(unexpected).toEqual([]);
}

describe('malformed requests are the caller’s fault, said so, and nothing breaks', () => {
  it('800 bodies with something wrong in them', async () => {
    const pick = seededBelow(7);
    const places = Object.keys(bodies);
    await attack(
      Array.from({ length: 800 }, (_, index) => {
        const place = places[index % places.length] ?? '';
        const times = 1 + pick(3);
        let body = bodies[place];
        for (let turn = 0; turn < times; turn += 1) body = mutated(body, pick);
        const method = /^(online|batch)/.test(place) && pick(4) === 0 ? 'PATCH' : 'PUT';
        return async () => ({
          answer: await management.send(method, place, { body: body === undefined ? null : body }),
          what: `${method} ${place} ${JSON.stringify(body)?.slice(0, 300)}`,
        });
      }),
    );
  });

  it('bodies that are no JSON at all', async () => {
    const raws = [
      '',
      ' ',
      '{',
      '[]',
      'null',
      '"text"',
      '1e999',
      '{"a":1}{"b":2}',
      '{"a":NaN}',
      '\u0000',
      '{"__proto__":{"a":1}}',
      '{"properties":{"__proto__":{"authMode":"Key"}}}',
      '[['.repeat(50_000),
      '{"a":'.repeat(10_000),
      '<xml/>',
      'a=b&c=d',
    ];
    const types = ['application/json', 'text/json', 'application/merge-patch+json', 'text/plain', 'x', '', 'a/b/c;;'];
    await attack(
      raws.flatMap((raw, index) =>
        Object.keys(bodies).map((place, at) => async () => ({
          answer: await management.send('PUT', place, {
            raw,
            headers: { 'content-type': types[(index + at) % types.length] ?? '' },
          }),
          what: `PUT ${place} ${JSON.stringify(raw.slice(0, 50))}`,
        })),
      ),
    );
  });

  it('paths, names, queries and headers that mean nothing', async () => {
    const names = [
      '%00',
      '%2e%2e',
      'a%2fb',
      '%zz',
      '%',
      'x'.repeat(3_000),
      '😀',
      '%ff%fe',
      '*',
      '-',
      "a'b",
      '$',
      '..;',
      '%0d%0a',
      'constructor',
      '__proto__',
    ];
    const places = names.flatMap((name) => [
      `onlineEndpoints/${name}`,
      `onlineEndpoints/kept/deployments/${name}`,
      `batchEndpoints/${name}`,
      `batchEndpoints/night/deployments/${name}`,
      `data/${name}/versions/${name}`,
      `jobs/${name}`,
      `jobs/${name}/cancel`,
      `jobs/${name}/verify`,
      `jobs/${name}/logs`,
      `/mferp/managementfrontend${workspace}/batchEndpoints/${name}/jobs`,
      `models/${name}`,
      `models/${name}/versions/${name}`,
      `${name}`,
    ]);
    const operations = names.map(
      (name) => `/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/l/mfeOperationsStatus/${name}`,
    );
    const queries = [
      '$top=-1',
      '$top=1e3',
      '$skip=x',
      '$orderBy=;drop',
      'listViewType=x',
      'tags=%00',
      '$top=1&$top=2',
      '&&&===',
      'api-version=%zz',
      '$skipToken=%00&status=x',
      'tail=1e9',
    ];
    const methods = ['GET', 'PUT', 'DELETE', 'PATCH', 'POST', 'OPTIONS', 'HEAD'];
    const cases = [
      ...[...places, ...operations].flatMap((place) => methods.map((method) => ({ method, place, headers: {} }))),
      ...queries.flatMap((text) =>
        ['onlineEndpoints', 'models', 'models/x/versions', 'auditEvents', 'jobs', 'jobs/x/logs'].map((place) => ({
          method: 'GET',
          place: `${place}?${text}`,
          headers: {},
        })),
      ),
      ...['"', '""', 'W/', '"1","2"', '\u00ff', '*,*'].map((etag) => ({
        method: 'DELETE',
        place: 'onlineEndpoints/nobody',
        headers: { 'if-match': etag },
      })),
    ];
    await attack(
      cases.map(({ method, place, headers }) => async () => ({
        answer: await management.send(method, place, { headers }),
        what: `${method} ${place.slice(0, 100)}`,
      })),
    );
  });

  it('calls that are not what they should be', async () => {
    const pick = seededBelow(3);
    const calls = [
      ['onlineEndpoints/kept/regenerateKeys', { keyType: 'Primary', keyValue: 'x' }],
      ['onlineEndpoints/kept/deployments/x/getLogs', { containerType: 'InferenceServer', tail: 5 }],
      ['codes/c/versions/1/startPendingUpload', { pendingUploadType: 'TemporaryBlobReference' }],
    ] as const;
    await attack(
      Array.from({ length: 60 }, (_, index) => {
        const [place, body] = calls[index % calls.length] ?? calls[0];
        const changed = mutated(mutated(body, pick), pick) ?? null;
        return async () => ({
          // Keys are made by a controller that is not there.
          answer: await management.send('POST', place.replace('kept', index % 2 === 0 ? 'nobody' : 'no-body'), {
            body: changed,
          }),
          what: `POST ${place} ${JSON.stringify(changed).slice(0, 200)}`,
        });
      }),
    );
  });

  it('uploads of all kinds', async () => {
    const queries = [
      '',
      '&comp=block',
      '&comp=block&blockid=%00',
      '&comp=blocklist',
      '&comp=x',
      '&comp=list&restype=container&maxresults=-5&marker=%00',
      '&comp=metadata',
      '&sig=x',
    ];
    const paths = ['', '/', '/a', '/a//b', '/%2e%2e/x', '/a%00', `/${'d/'.repeat(50)}`, '/a?b'];
    const headers: Record<string, string>[] = [
      {},
      { 'x-ms-blob-type': 'BlockBlob', 'content-md5': 'x' },
      { 'x-ms-blob-type': 'BlockBlob', 'x-ms-meta-1-2': 'x' },
      { 'x-ms-range': 'bytes=9-1', range: 'bytes=-' },
    ];
    await attack(
      queries.flatMap((more) =>
        paths.flatMap((path, index) =>
          ['PUT', 'GET', 'HEAD', 'POST', 'DELETE'].map((method, at) => async () => ({
            answer: await management.send(method, `/blob/workspaceblobstore${path}${query}${more}`, {
              token: 'none',
              headers: headers[(index + at) % headers.length] ?? {},
              ...(method === 'PUT' || method === 'POST' ? { raw: '<BlockList>' } : {}),
            }),
            what: `${method} ${path} ${more}`,
          })),
        ),
      ),
    );
  });

  it('bytes that are no HTTP are answered or the connection is closed, and the server lives', async () => {
    const { hostname, port } = new URL(management.url);
    const raws = [
      '\r\n\r\n',
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'G\u0000T / HTTP/1.1\r\nhost: x\r\n\r\n',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
      'PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n',
      'PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      'GET http://other/x HTTP/1.1\r\nhost: x\r\n\r\n',
      'GET /%zz HTTP/1.1\r\nhost: x\r\n\r\n',
      'CONNECT a:1 HTTP/1.1\r\nhost: x\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001\u0000',
    ];
    for (const raw of raws) {
      const text = await new Promise<string>((resolve, reject) => {
        const socket = connect(Number(port), hostname);
        let received = '';
        const done = (): void => {
          socket.destroy();
          resolve(received);
        };
        socket.setTimeout(5_000, () => reject(new Error(`no answer to ${JSON.stringify(raw.slice(0, 40))}`)));
        socket.on('data', (chunk: Buffer) => {
          received += chunk.toString();
          if (received.includes('\r\n\r\n')) done();
        });
        socket.on('close', done);
        socket.on('error', done);
        socket.write(Buffer.from(raw, 'latin1'));
        socket.end();
      });
      if (text !== '') expect(text, raw.slice(0, 40)).toMatch(/^HTTP\/1\.1 4\d\d /);
    }
    expect((await management.send('GET', '/healthz')).status).toBe(200);
  });
});
