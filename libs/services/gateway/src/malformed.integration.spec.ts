import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bearer, key, startTestGateway, type TestGateway } from './testing/test-gateway.ts';
import { connectRaw, exchangeRaw } from './testing/raw-http.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({ bodyIdleTimeoutMs: 400, bodyTimeoutMs: 1_500, bodyBytesMax: 1_000_000 });
});
afterAll(() => gateway.stop());

const auth = `Authorization: Bearer ${key}\r\n`;
const get = (path: string, extra = ''): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${auth}${extra}\r\n`;
const post = (path: string, extra: string, body = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${auth}${extra}\r\n${body}`;
const score = '/endpoints/cars/score';
const infer = '/v2/models/cars/infer';

const paths = [
  '/%',
  '/%zz',
  '/%c0%af',
  '/%ff',
  '/endpoints/%00/score',
  '/endpoints/ca%0d%0ars/score',
  '/endpoints/../score',
  '/endpoints/%2e%2e/score',
  '/endpoints/cars%2fscore',
  '/endpoints//score',
  '//endpoints/cars/score',
  '/endpoints/cars//score',
  '/endpoints/cars\\score',
  '/endpoints/cars/score/extra',
  '/endpoints',
  '/endpoints/',
  '/endpoints/c',
  '/endpoints/9cars/score',
  '/endpoints/cars-/score',
  `/endpoints/${'a'.repeat(33)}/score`,
  `/endpoints/${'a'.repeat(5_000)}/score`,
  '/endpoints/c_a_r_s/score',
  '/endpoints/%63%61%72%73%2F..%2Firis/score',
  '/endpoints/ｃａｒｓ/score',
  '/endpoints/cars;a=1/score',
  '/endpoints/cars%20/score',
  '/endpoints/__proto__/score',
  '/endpoints/constructor/score',
  '/endpoints/toString/score',
  '/v2/models/__proto__/infer',
  '/v2/models//infer',
  '/v2/models',
  '/v2/models/',
  '/v2/models/cars/versions',
  '/v2/models/cars/versions/',
  '/v2/models/cars/versions//infer',
  '/v2/models/cars/versions/a%2fb/infer',
  '/v2/models/cars/versions/luca/nothing',
  '/v2/models/cars/infer/infer',
  '/v2/nothing',
  '/v1/models/cars',
  '/v2/health',
  '/v2/health/nothing',
  '/v2/models/stats/versions',
  '/v2/models/%e0%a4%a/infer',
  '/score',
  '/swagger.json',
  '/.env',
  '/admin',
  '/endpoints/cars/v2/models/nothing/infer',
  '/endpoints/cars/v2/models/cars/versions/no%00/infer',
  `/${'a/'.repeat(100)}`,
  `/v2/${'%41'.repeat(2_000)}`,
  '/healthz/x',
  '/readyz/../healthz',
  '*',
  '/endpoints/cars/score%3Fa=1',
  '/?',
  '/??',
  '/#',
].map((path) => ({ name: `path ${path.slice(0, 60)}`, request: get(path) }));

const methods = ['TRACE', 'PROPFIND', 'LINK', 'PURGE', 'SEARCH', 'SUBSCRIBE', 'MKCOL', 'UNLOCK', 'NOTIFY'].flatMap(
  (method) =>
    [score, infer, '/healthz'].map((path) => ({
      name: `${method} ${path}`,
      request: `${method} ${path} HTTP/1.1\r\nHost: x\r\n${auth}\r\n`,
    })),
);

const headers = [
  'Content-Length: -1',
  'Content-Length: 1e3',
  'Content-Length: 0x10',
  'Content-Length: 99999999999999999999',
  'Content-Length: 5, 5',
  'Content-Length: ',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding : chunked',
  'Bad Header: 1',
  'No-Colon',
  ': no name',
  'X-Nul: a\0b',
  'X-Bare: a\nContent-Length: 5',
  'X-Fold: a\r\n b',
  `X-Huge: ${'a'.repeat(20_000)}`,
  `${'X-Many: 1\r\n'.repeat(2_000)}X-Last: 1`,
  'Content-Encoding: br',
  'Content-Encoding: gzip',
  'Content-Encoding: gzip\r\nContent-Length: 3',
  'Content-Encoding: \xff',
  'x-request-timeout-ms: -1',
  'x-request-timeout-ms: 0',
  'x-request-timeout-ms: 99999999999',
  'x-request-timeout-ms: NaN',
  'Inference-Header-Content-Length: -1',
  'Inference-Header-Content-Length: 1.5',
  'Inference-Header-Content-Length: 99999999999',
  'azureml-model-deployment: no such!',
  `azureml-model-deployment: ${'a'.repeat(200)}`,
  'azureml-model-deployment: \xe9t\xe9',
  `x-ms-client-request-id: ${'a'.repeat(101)}`,
  `x-request-id: ${'a'.repeat(200)}`,
  'Expect: 200-maybe',
  'Expect: nonsense',
].flatMap((header) =>
  [score, infer].map((path) => ({
    name: `${path} with ${JSON.stringify(header.slice(0, 50))}`,
    request: post(path, `${header}\r\n`, 'abc'),
  })),
);

const bodies = [
  { name: 'chunk size that is no number', body: 'zz\r\nabc\r\n0\r\n\r\n' },
  { name: 'negative chunk size', body: '-1\r\nabc\r\n0\r\n\r\n' },
  { name: 'chunk size beyond any memory', body: 'ffffffffffffffff\r\nabc' },
  { name: 'chunk without its line end', body: '3\r\nabcdef\r\n0\r\n\r\n' },
  { name: 'a large announced chunk', body: '7fffffff\r\nabc' },
  { name: 'chunk extensions without end', body: `3;${'a'.repeat(40_000)}\r\nabc\r\n` },
  { name: 'huge trailers', body: `3\r\nabc\r\n0\r\nX: ${'a'.repeat(30_000)}\r\n\r\n` },
  { name: 'chunks that stop', body: '3\r\nab' },
].map(({ name, body }) => ({ name, request: post(score, 'Transfer-Encoding: chunked\r\n', body) }));

const lines = [
  '\r\n\r\n\r\n\r\n\0',
  'GET',
  'GET / HTTP/9.9\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'get / http/1.1\r\nhost: x\r\n\r\n',
  '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET http://[broken/ HTTP/1.1\r\nHost: x\r\n\r\n',
  'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n',
  `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
  'GET  / HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /endpoints/cars/score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \0\r\n\r\n',
  'POST /endpoints/cars/score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
  `GET /v2 HTTP/1.1\r\nHost: ${'a'.repeat(10_000)}\r\n\r\n`,
  'GET /score HTTP/1.1\r\nHost: ..models.example.org\r\n\r\n',
  'GET /score HTTP/1.1\r\nHost: \x00.models.example.org\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
].map((request) => ({ name: `request ${JSON.stringify(request.slice(0, 50))}`, request }));

const cases = [...paths, ...methods, ...headers, ...bodies, ...lines];

describe('malformed requests', () => {
  it(`are ${cases.length}, which is enough`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(170);
    expect(new Set(cases.map(({ request }) => request)).size).toBe(cases.length);
  });

  it.each(cases)("$name is the caller's fault at most", async ({ request }) => {
    const connection = await connectRaw(gateway.url);
    connection.send(Buffer.from(request, 'latin1'));
    // An unfinished request is ended from our side: the server may as well wait for the rest of it.
    const patience = setTimeout(() => connection.socket.end(), 150);
    const text = await connection.until(/^HTTP\/1\.1 (?!100)\d{3}[\s\S]*\r\n\r\n/);
    clearTimeout(patience);
    connection.socket.destroy();
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
    // 501 and 505 name what Mooring does not have; 0: the connection ended without an answer, which must be the caller's doing.
    expect(status === 501 || status === 505 || status < 500, text.slice(0, 300)).toBe(true);
    expect(text).not.toMatch(/ at .*\.ts:|node:internal/);
  });

  it('leave nothing behind: the gateway serves, and logged no fault of its own', async () => {
    const response = await fetch(`${gateway.url}${score}`, { method: 'POST', body: '{}', headers: bearer });
    expect(response.status).toBe(200);
    expect(gateway.logged).toEqual([]);
    expect(gateway.lines.filter((line) => JSON.stringify(line).includes(key))).toEqual([]);
  });

  it.each([
    { name: 'two lengths', request: post(score, 'Content-Length: 5\r\nContent-Length: 6\r\n', 'abcdef'), status: 400 },
    {
      name: 'length and chunks',
      request: post(score, 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
      status: 400,
    },
    { name: 'broken chunk', request: post(score, 'Transfer-Encoding: chunked\r\n', 'zz\r\n'), status: 400 },
    { name: 'huge header', request: get(score, `X: ${'a'.repeat(20_000)}\r\n`), status: 431 },
    { name: 'broken percent encoding', request: get('/endpoints/%zz/score'), status: 400 },
    { name: 'encoded slash', request: get('/endpoints/cars%2fscore'), status: 400 },
    { name: "a proxy's CONNECT", request: 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', status: 405 },
  ])('$name is answered $status in JSON with a request id', async ({ request, status }) => {
    const answer = await exchangeRaw(gateway.url, request);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(/x-request-id: [0-9a-f-]{36}/i);
    expect(answer.text).toMatch(/\{"error":/);
  });
});
