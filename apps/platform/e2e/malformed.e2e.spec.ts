import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelInferRequest } from '@mooring/contracts/inference';
import { seededBelow } from '@mooring/testing';
import { endpointYaml, figure, fixtures, onnxYaml, parallel, startPlatform, until, type Platform } from './harness.ts';

const perSurface = 300;
let platform: Platform;
let key = '';

beforeAll(async () => {
  platform = await startPlatform();
  await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('iris')));
  await platform.json(
    'online-deployment',
    'create',
    '-f',
    platform.yaml(onnxYaml('iris', 'first', join(fixtures, 'iris-onnx/model.onnx'))),
    '--all-traffic',
  );
  key = await platform.key('iris');
});
afterAll(() => platform.remove());

const oddValues: unknown[] = [
  null,
  true,
  -1,
  0,
  -1e308,
  '',
  'NaN',
  [],
  {},
  [[]],
  [[[[]]]],
  2 ** 53,
  -(2 ** 63),
  '\u0000',
  'x'.repeat(10_000),
  { a: { b: {} } },
  [1, 'a'],
  [null],
  -0.5,
];

/** `value` with one part of it exchanged, removed, doubled or cut. */
function mutated(value: unknown, pick: (below: number) => number): unknown {
  if (Array.isArray(value) && value.length > 0 && pick(4) > 0) {
    const at = pick(value.length);
    const copy = [...(value as unknown[])];
    const act = pick(4);
    if (act === 0) copy.splice(at, 1);
    else if (act === 1) copy.push(copy[at]);
    else copy[at] = mutated(copy[at], pick);
    return copy;
  }
  if (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).length > 0 &&
    pick(6) > 0
  ) {
    const copy = { ...(value as Record<string, unknown>) };
    const name = Object.keys(copy)[pick(Object.keys(copy).length)] ?? '';
    const act = pick(5);
    if (act === 0) delete copy[name];
    else if (act === 1) copy[`${name}x`] = copy[name];
    else copy[name] = mutated(copy[name], pick);
    return copy;
  }
  return oddValues[pick(oddValues.length)];
}

function residentMiB(): number {
  const { children } = JSON.parse(readFileSync(join(platform.data, 'run/supervisor.json'), 'utf8')) as {
    children: { name: string; pid: number }[];
  };
  const pages = children
    .filter(({ name }) => !name.includes('nats'))
    .map(({ pid }) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1] ?? 0));
  return (pages.reduce((sum, count) => sum + count, 0) * 4096) / 2 ** 20;
}

/** Sends everything, and then once more: what grows with the first pass is caches, what grows with the second is a leak. */
async function attack(
  surface: string,
  count: number,
  send: (index: number) => Promise<{ status: number; what: string }>,
): Promise<void> {
  const first = await parallel(count, 4, send);
  const between = residentMiB();
  const second = await parallel(count, 4, send);
  const grown = residentMiB() - between;
  const faults = [...first, ...second].filter(({ status }) => status === 0 || (status >= 500 && status !== 501));
  const statuses = new Map<number, number>();
  for (const { status } of first) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  figure(
    `A7 ${surface}: ${count} malformed, ${faults.length} answered 5xx or not at all, grown ${grown.toFixed(0)} MiB in the second pass; ${JSON.stringify(Object.fromEntries(statuses))}`,
  );
  expect(faults).toEqual([]);
  expect(grown).toBeLessThan(60);
  const still = await platform.send('/endpoints/iris/score', { key, body: '{"data": [[5.1, 3.5, 1.4, 0.2]]}' });
  expect(still.status).toBe(200);
}

describe('malformed requests', () => {
  it('over REST: paths, headers and bodies of /score', async () => {
    const pick = seededBelow(1);
    const paths = [
      '/endpoints/iris/score',
      '/endpoints/IRIS/score',
      '/endpoints/iris/score?',
      '/endpoints/%00/score',
      '/endpoints/../score',
      '/endpoints/iris//score',
      '/endpoints/iris%2fscore',
      '/endpoints/iris/swagger.json?version=9',
      '/endpoints/iris/%',
      '/',
      '/endpoints',
      '/endpoints/iris/score/x',
      '/endpoints/iris/invocations',
    ];
    const headers: Record<string, string>[] = [
      {},
      { 'content-type': 'application/json' },
      { 'content-type': 'text/xml' },
      { 'content-type': ';;;' },
      { 'content-encoding': 'gzip' },
      { 'content-encoding': 'br' },
      { 'content-encoding': 'deflate' },
      { 'azureml-model-deployment': 'nobody' },
      { 'azureml-model-deployment': '../x' },
      { 'x-ms-client-request-id': 'y'.repeat(200) },
      { 'x-request-timeout-ms': '-5' },
      { 'x-request-timeout-ms': 'soon' },
      { traceparent: '00-zz' },
      { 'inference-header-content-length': '99999' },
      { accept: 'image/png' },
      { 'accept-encoding': 'zzz, *;q=9' },
    ];
    const cases = Array.from({ length: perSurface }, () => ({
      path: paths[pick(3) > 0 ? 0 : pick(paths.length)] ?? '/',
      method: ['POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'][pick(9)] ?? 'POST',
      headers: headers[pick(headers.length)] ?? {},
      body:
        pick(5) === 0
          ? Buffer.from(Array.from({ length: pick(200) }, () => pick(256)))
          : JSON.stringify(mutated({ data: [[5.1, 3.5, 1.4, 0.2]] }, pick)),
    }));
    await attack('REST', perSurface, async (index) => {
      const { path, ...options } = cases[index] ?? { path: '/' };
      const { status, body } = await platform.send(path, { key, timeoutMs: 20_000, ...options });
      return { status, what: `${JSON.stringify(cases[index]).slice(0, 400)} -> ${body.toString().slice(0, 200)}` };
    });
  });

  it('over OIP: JSON and binary bodies', async () => {
    const pick = seededBelow(2);
    const valid = {
      id: 'a',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }],
      outputs: [{ name: 'label' }],
    };
    const binary = {
      inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 4], parameters: { binary_data_size: 16 } }],
    };
    const cases = Array.from({ length: perSurface }, (_, index) => {
      if (index % 2 === 0) return { body: Buffer.from(JSON.stringify(mutated(valid, pick))), headers: {} };
      const json = Buffer.from(JSON.stringify(pick(3) > 0 ? mutated(binary, pick) : binary));
      const length =
        pick(3) > 0 ? json.length : [0, -1, 1, json.length - 1, json.length + 1, 2 ** 40, Number.NaN][pick(7)];
      return {
        body: Buffer.concat([json, Buffer.alloc([16, 0, 15, 17, 64][pick(5)] ?? 16)]),
        headers: { 'inference-header-content-length': String(length) },
      };
    });
    await attack('OIP', perSurface, async (index) => {
      const { status, body } = await platform.send('/v2/models/iris/infer', {
        key,
        timeoutMs: 20_000,
        ...cases[index],
      });
      return { status, what: `${cases[index]?.body.toString().slice(0, 300)} -> ${body.toString().slice(0, 200)}` };
    });
  });

  it('over gRPC: bytes of ModelInfer', async () => {
    const pick = seededBelow(3);
    const valid = Buffer.from(
      ModelInferRequest.encode(
        ModelInferRequest.fromPartial({
          modelName: 'iris',
          inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 4] }],
          rawInputContents: [Buffer.from(new Float32Array([5.1, 3.5, 1.4, 0.2]).buffer)],
        }),
      ).finish(),
    );
    const cases = Array.from({ length: perSurface }, () => {
      const bytes = Buffer.from(valid);
      const act = pick(4);
      if (act === 0) return bytes.subarray(0, pick(bytes.length));
      if (act === 1) return Buffer.from(Array.from({ length: pick(100) }, () => pick(256)));
      // The model's name is left alone in most cases, so that the request gets as far as the model.
      for (let flips = 1 + pick(3); flips > 0; flips -= 1) bytes[6 + pick(bytes.length - 6)] = pick(256);
      return bytes;
    });
    const client = new Client(platform.grpc, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${key}`);
    const send = (bytes: Buffer): Promise<{ status: number; what: string }> =>
      new Promise((resolve) => {
        const identity = (raw: Buffer): Buffer => raw;
        client.makeUnaryRequest(
          '/inference.GRPCInferenceService/ModelInfer',
          identity,
          identity,
          bytes,
          metadata,
          { deadline: Date.now() + 20_000 },
          (error: ServiceError | null) => {
            // INTERNAL, UNKNOWN, UNAVAILABLE and DATA_LOSS are what a 5xx is over HTTP.
            const fault = error !== null && [2, 13, 14, 15].includes(error.code);
            resolve({
              status: fault ? 500 : 200 + (error?.code ?? 0),
              what: `${bytes.toString('hex')} -> ${error?.code} ${error?.details}`,
            });
          },
        );
      });
    await attack('gRPC', perSurface, (index) => send(cases[index] ?? Buffer.alloc(0)));
    client.close();
  });

  it('over management REST', async () => {
    const pick = seededBelow(4);
    const token = readFileSync(join(platform.data, 'secrets/admin.token'), 'utf8').trim();
    const workspace =
      '/subscriptions/local/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/default';
    const endpoint = { location: 'local', tags: {}, properties: { authMode: 'Key', traffic: {}, properties: {} } };
    const deployment = {
      location: 'local',
      sku: { name: 'Default', capacity: 1 },
      properties: {
        endpointComputeType: 'Managed',
        instanceType: 'Standard_DS2_v2',
        model: `${workspace}/models/nobody/versions/1`,
        requestSettings: { requestTimeout: 'PT3S' },
        properties: {},
      },
    };
    const cases = Array.from({ length: perSurface }, (_, index) => {
      const name = ['bad-name', '9bad', 'a', 'x'.repeat(60), '%2e%2e', 'bad name', 'iris'][pick(7)] ?? 'bad';
      if (index % 3 === 0) return { path: `/onlineEndpoints/${name}`, body: mutated(mutated(endpoint, pick), pick) };
      if (index % 3 === 1)
        return { path: `/onlineEndpoints/iris/deployments/${name}`, body: mutated(deployment, pick) };
      const other =
        [
          '/models/m/versions/1',
          '/environments/e/versions/1',
          '/codes/c/versions/1',
          '/onlineEndpoints/iris/regenerateKeys',
          '/onlineEndpoints/iris/listKeys',
          '/nothing',
        ][pick(6)] ?? '';
      return {
        path: other,
        body: mutated(
          { properties: { modelUri: 'azureml://x', modelType: 'custom_model', image: 'i', codeUri: 'c' } },
          pick,
        ),
      };
    });
    await attack('management REST', perSurface, async (index) => {
      const { path, body } = cases[index] ?? { path: '', body: {} };
      const answer = await fetch(`${platform.management}${workspace}${path}?api-version=2023-04-01`, {
        method: path.endsWith('Keys') ? 'POST' : 'PUT',
        // Nothing of this may be accepted into the endpoint that goes on being served.
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...(path.includes('/iris') ? { 'if-match': '"1"' } : {}),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(20_000),
      });
      return {
        status: answer.status,
        what: `${path} ${JSON.stringify(body).slice(0, 300)} -> ${(await answer.text()).slice(0, 300)}`,
      };
    });
    key = await platform.key('iris');
  });

  it('as raw bytes on the socket: the connection is answered or closed, and the server lives', async () => {
    const { hostname, port } = new URL(platform.http);
    const attempts = [
      'GARBAGE\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'POST /endpoints/iris/score HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
      'POST /endpoints/iris/score HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n',
      `GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
      'POST /endpoints/iris/score HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000',
    ];
    for (const bytes of attempts) {
      const closed = await new Promise<boolean>((resolve) => {
        const socket = connect(Number(port), hostname, () => socket.write(bytes));
        socket.on('data', () => socket.end());
        socket.on('close', () => resolve(true));
        socket.on('error', () => resolve(true));
        socket.setTimeout(20_000, () => {
          socket.destroy();
          resolve(false);
        });
      });
      expect(closed, bytes.slice(0, 60)).toBe(true);
    }
    await until('the gateway to answer', async () => (await platform.send('/healthz')).status === 200, 5_000);
  });
});
