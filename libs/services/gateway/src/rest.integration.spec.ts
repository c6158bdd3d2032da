import { randomBytes } from 'node:crypto';
import { gunzipSync, deflateRawSync, deflateSync, gzipSync, inflateSync } from 'node:zlib';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Operation, Protocol } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { failedReply, reply } from '@mooring/scoring-stream';
import { bearer, echo, linesOf, startTestGateway, type TestGateway } from './testing/test-gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.calls.length = 0;
  gateway.lines.length = 0;
  gateway.answer = echo;
});

const at = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${gateway.url}${path}`, { ...init, headers: { ...bearer, ...init.headers } });
const post = (
  path: string,
  body: string | Buffer<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> => at(path, { method: 'POST', body, headers });
const fails =
  (error: PlatformError, started = true) =>
  async () =>
    failedReply(error, started);

describe('/score', () => {
  it("hands the body on untouched and answers with the model's bytes", async () => {
    const photo = randomBytes(5_000);
    const response = await post('/endpoints/cars/score?a=1&b=%20', photo, { 'content-type': 'image/jpeg' });
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(photo)).toBe(true);
    expect(response.headers.get('content-type')).toBe('image/jpeg');
    expect(gateway.calls[0]).toMatchObject({
      operation: Operation.OPERATION_SCORE,
      protocol: Protocol.PROTOCOL_SCORE,
      endpoint: 'cars',
      deployment: '',
      method: 'POST',
      query: 'a=1&b=%20',
      contentType: 'image/jpeg',
      deadlineMs: 0,
    });
  });

  it('names who answered, its own ids and the times in headers', async () => {
    const { headers } = await post('/endpoints/cars/score', '{}', { 'x-ms-client-request-id': 'my_id-7' });
    expect(headers.get('azureml-model-deployment')).toBe('martina');
    expect(headers.get('x-ms-client-request-id')).toBe('my_id-7');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get('x-ms-request-id')).toBe(headers.get('x-request-id'));
    expect(headers.get('server-timing')).toMatch(/total;dur=[\d.]+$/);
    expect(gateway.calls[0]?.requestId).toBe(headers.get('x-request-id'));
  });

  it.each([
    { sent: 'a'.repeat(100), echoed: 'a'.repeat(40), why: 'cut to 40' },
    { sent: 'has space', echoed: null, why: 'other characters are not echoed' },
    { sent: '', echoed: null, why: 'empty' },
  ])('echoes the client request id: $why', async ({ sent, echoed }) => {
    const { headers } = await post('/endpoints/cars/score', '{}', { 'x-ms-client-request-id': sent });
    expect(headers.get('x-ms-client-request-id')).toBe(echoed);
  });

  it.each(['x-ms-client-request-id', 'x-request-id'])('answers 431 to a %s over 100 characters', async (name) => {
    const response = await post('/endpoints/cars/score', '{}', { [name]: 'a'.repeat(101) });
    expect(response.status).toBe(431);
    expect(await response.json()).toMatchObject({ error: { reason: 'REQUEST_ID_TOO_LONG' } });
  });

  it('takes GET with a query, and answers OPTIONS itself', async () => {
    expect((await at('/endpoints/cars/score?a=1')).status).toBe(200);
    expect(gateway.calls[0]).toMatchObject({ method: 'GET', query: 'a=1' });
    const options = await at('/endpoints/cars/score', { method: 'OPTIONS' });
    expect(options.status).toBe(200);
    expect(options.headers.get('allow')).toBe('POST, GET, OPTIONS');
    expect(await options.text()).toBe('');
  });

  it.each(['PUT', 'DELETE', 'PATCH', 'HEAD'])('answers 405 with Allow to %s', async (method) => {
    const response = await at('/endpoints/cars/score', { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST, GET, OPTIONS');
  });

  it('pins by header, in any case, and finds endpoints in any case', async () => {
    await post('/endpoints/CARS/score', '{}', { 'azureml-model-deployment': 'Luca' });
    expect(gateway.calls[0]).toMatchObject({ endpoint: 'cars', deployment: 'Luca' });
  });

  it("hands the caller's headers on without credentials and connection headers", async () => {
    await post('/endpoints/cars/score', '{}', { 'x-custom': 'One', cookie: 'a=b', 'api-key': 'secret' });
    const names = gateway.calls[0]?.headers.map(({ name }) => name) ?? [];
    expect(gateway.calls[0]?.headers).toContainEqual({ name: 'x-custom', value: 'One' });
    for (const gone of ['authorization', 'cookie', 'api-key', 'connection', 'content-length'])
      expect(names).not.toContain(gone);
  });

  it("passes the caller's deadline on, less the time that has gone", async () => {
    await post('/endpoints/cars/score', '{}', { 'x-request-timeout-ms': '5000' });
    expect(gateway.calls[0]?.deadlineMs).toBeGreaterThan(4_000);
    expect(gateway.calls[0]?.deadlineMs).toBeLessThanOrEqual(5_000);
    expect((await post('/endpoints/cars/score', '{}', { 'x-request-timeout-ms': 'soon' })).status).toBe(400);
  });

  it("passes the caller's traceparent on when it is one", async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await post('/endpoints/cars/score', '{}', { traceparent });
    await post('/endpoints/cars/score', '{}', { traceparent: 'nonsense' });
    expect(gateway.calls.map((call) => call.traceparent)).toEqual([traceparent, '']);
  });

  it('works without a Content-Type', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = httpRequest(
        `${gateway.url}/endpoints/cars/score`,
        { method: 'POST', headers: bearer },
        (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        },
      );
      call.on('error', reject).end('{"x":1}');
    });
    expect(status).toBe(200);
    expect(gateway.calls[0]?.contentType).toBe('');
  });

  it("passes a script's own headers on, but none that would break the answer or forge ours", async () => {
    gateway.answer = async () =>
      reply({
        status: 200,
        body: Buffer.from('{}'),
        contentType: 'application/json',
        deployment: 'luca',
        headers: [
          { name: 'x-ms-run-function-failed', value: 'False' },
          { name: 'x-ms-run-fn-exec-ms', value: '1.5' },
          { name: 'set-cookie', value: 'a=1' },
          { name: 'set-cookie', value: 'b=2' },
          { name: 'Content-Length', value: '999' },
          { name: 'x-request-id', value: 'forged' },
          { name: 'x-split', value: 'a\r\nx-injected: 1' },
          { name: 'bad name', value: '1' },
        ],
      });
    const response = await post('/endpoints/cars/score', '{}');
    expect(response.headers.get('x-ms-run-function-failed')).toBe('False');
    expect(response.headers.get('x-ms-run-fn-exec-ms')).toBe('1.5');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('x-injected')).toBeNull();
    expect(response.headers.get('x-request-id')).not.toContain('forged');
    expect(await response.text()).toBe('{}');
  });
});

describe('failures', () => {
  it.each([
    { code: 'resource_exhausted', reason: 'QUEUE_FULL', status: 429, retryAfter: '2', retryAfterMs: 1_200 },
    { code: 'unavailable', reason: 'NO_INSTANCE', status: 503, retryAfter: '1', retryAfterMs: 10 },
    { code: 'unavailable', reason: 'INSTANCE_LOST', status: 503, retryAfter: '1', retryAfterMs: undefined },
    { code: 'scoring_timeout', reason: 'SCORING_TIMEOUT', status: 408, retryAfter: '1', retryAfterMs: undefined },
    { code: 'deadline_exceeded', reason: 'DEADLINE_PASSED', status: 504, retryAfter: '3', retryAfterMs: 2_100 },
    { code: 'not_found', reason: 'TRAFFIC_NOT_SET', status: 404, retryAfter: null, retryAfterMs: undefined },
    { code: 'invalid_argument', reason: 'TENSOR_SHAPE', status: 400, retryAfter: null, retryAfterMs: undefined },
  ] as const)(
    '$code is $status with its reason and Retry-After $retryAfter',
    async ({ code, reason, status, retryAfter, retryAfterMs }) => {
      gateway.answer = fails(
        new PlatformError(code, reason, 'what to do', retryAfterMs === undefined ? {} : { retryAfterMs }),
      );
      const azure = await post('/endpoints/cars/score', '{}');
      expect(azure.status).toBe(status);
      expect(azure.headers.get('retry-after')).toBe(retryAfter);
      const requestId = azure.headers.get('x-request-id');
      expect(await azure.json()).toMatchObject({ error: { code, reason, message: 'what to do', requestId } });
      const oip = await post('/v2/models/cars/infer', '{}');
      expect(oip.status).toBe(status);
      expect(await oip.json()).toMatchObject({
        error: 'what to do',
        code,
        reason,
        request_id: oip.headers.get('x-request-id'),
      });
    },
  );

  it("passes a model's own failure on as 424 with its status, headers and body", async () => {
    gateway.answer = async () =>
      reply({
        status: 418,
        contentType: 'text/plain',
        body: Buffer.from('no tea'),
        deployment: 'luca',
        headers: [{ name: 'x-ms-run-function-failed', value: 'True' }],
      });
    const response = await post('/endpoints/cars/score', '{}');
    expect(response.status).toBe(424);
    expect(response.headers.get('ms-azureml-model-error-statuscode')).toBe('418');
    expect(response.headers.get('ms-azureml-model-error-reason')).toBe('MODEL_ANSWERED_FAILURE');
    expect(response.headers.get('x-ms-run-function-failed')).toBe('True');
    expect(response.headers.get('azureml-model-deployment')).toBe('luca');
    expect(await response.text()).toBe('no tea');
  });

  it("tells of a script that raised: 424, the server's 500 in a header", async () => {
    const error = new PlatformError('model_failed', 'SCRIPT_RAISED', 'run() raised', { modelStatus: 500 });
    gateway.answer = async () => ({
      ...failedReply(error, true),
      body: Buffer.from('{"message":"x"}'),
      contentType: 'application/json',
    });
    const response = await post('/endpoints/cars/score', '{}');
    expect(response.status).toBe(424);
    expect(response.headers.get('ms-azureml-model-error-statuscode')).toBe('500');
    expect(response.headers.get('ms-azureml-model-error-reason')).toBe('SCRIPT_RAISED');
    expect(await response.json()).toEqual({ message: 'x' });
  });

  it('hides what went wrong inside, and logs it', async () => {
    gateway.answer = () => Promise.reject(new Error('password in the stack'));
    const response = await post('/endpoints/cars/score', '{"secret":"payload"}');
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toMatch(/password|payload|at /);
    expect(gateway.logged.join('')).toContain('password in the stack');
    expect(gateway.logged.join('')).not.toContain('payload');
  });

  it("a script's 201 is a success", async () => {
    gateway.answer = async () => reply({ status: 201, body: Buffer.from('made'), contentType: 'text/plain' });
    const response = await post('/endpoints/cars/score', '{}');
    expect(response.status).toBe(201);
    expect(await response.text()).toBe('made');
  });
});

describe('authentication', () => {
  it.each([
    { headers: {}, reason: 'KEY_MISSING' },
    { headers: { authorization: 'Basic abc' }, reason: 'KEY_MALFORMED' },
    { headers: { authorization: 'Bearer' }, reason: 'KEY_MALFORMED' },
    { headers: { authorization: `Bearer ${'x'.repeat(600)}` }, reason: 'KEY_MALFORMED' },
    { headers: { authorization: 'Bearer wrong' }, reason: 'KEY_INVALID' },
    { headers: { authorization: `Bearer ${'i'.repeat(43)}` }, reason: 'KEY_INVALID' },
  ])('answers 401 $reason', async ({ headers, reason }) => {
    const response = await fetch(`${gateway.url}/endpoints/cars/score`, {
      method: 'POST',
      body: '{}',
      headers: headers as Record<string, string>,
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toMatchObject({ error: { code: 'unauthenticated', reason } });
    expect(gateway.calls).toHaveLength(0);
  });

  it('answers 404 for an endpoint that does not exist, with and without a key', async () => {
    expect((await post('/endpoints/boats/score', '{}')).status).toBe(404);
    expect((await fetch(`${gateway.url}/endpoints/boats/score`)).status).toBe(404);
  });

  it('takes the scheme in any case', async () => {
    expect(
      (await post('/endpoints/cars/score', '{}', { authorization: bearer.authorization.replace('Bearer', 'bEARER') }))
        .status,
    ).toBe(200);
  });

  it('is asked before the body is read', async () => {
    const response = await fetch(`${gateway.url}/endpoints/cars/score`, {
      method: 'POST',
      body: Buffer.alloc(3 * 2 ** 20),
    });
    expect(response.status).toBe(401);
  });
});

describe('the Open Inference Protocol', () => {
  it.each([
    { path: '/v2/models/cars', operation: Operation.OPERATION_METADATA, deployment: '' },
    { path: '/v2/models/Cars/versions/luca', operation: Operation.OPERATION_METADATA, deployment: 'luca' },
    { path: '/v2/models/cars/ready', operation: Operation.OPERATION_READY, deployment: '' },
    { path: '/v2/models/cars/versions/luca/config', operation: Operation.OPERATION_CONFIG, deployment: 'luca' },
    { path: '/v2/models/cars/stats', operation: Operation.OPERATION_STATISTICS, deployment: '' },
    { path: '/endpoints/cars/v2/models/cars', operation: Operation.OPERATION_METADATA, deployment: '' },
    {
      path: '/endpoints/cars/v2/models/fern/versions/martina/ready',
      operation: Operation.OPERATION_READY,
      deployment: 'martina',
    },
    { path: '/endpoints/cars/swagger.json?version=3', operation: Operation.OPERATION_SWAGGER, deployment: '' },
    { path: '/endpoints/cars/', operation: Operation.OPERATION_READY, deployment: '' },
    { path: '/endpoints/cars/v2/health/ready', operation: Operation.OPERATION_READY, deployment: '' },
  ])('GET $path', async ({ path, operation, deployment }) => {
    expect((await at(path)).status).toBe(200);
    expect(gateway.calls[0]).toMatchObject({ operation, deployment, endpoint: 'cars' });
  });

  it('carries the model name and version as the caller wrote them', async () => {
    await post('/endpoints/cars/v2/models/FERN/versions/Martina/infer', '{}');
    expect(gateway.calls[0]).toMatchObject({
      modelName: 'FERN',
      modelVersion: 'Martina',
      endpoint: 'cars',
      deployment: 'Martina',
      operation: Operation.OPERATION_INFER,
      protocol: Protocol.PROTOCOL_OIP_REST,
    });
  });

  it('answers 404 to a model that the endpoint does not serve', async () => {
    const response = await post('/endpoints/cars/v2/models/iris/infer', '{}');
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ reason: 'MODEL_NOT_FOUND', error: expect.any(String) });
  });

  it('refuses two different deployments in one request', async () => {
    const response = await post('/v2/models/cars/versions/luca/infer', '{}', { 'azureml-model-deployment': 'martina' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ reason: 'DEPLOYMENT_AMBIGUOUS' });
  });

  it.each([
    { sent: '12', plusOne: 13 },
    { sent: '0', plusOne: 1 },
  ])('carries Inference-Header-Content-Length $sent both ways', async ({ sent, plusOne }) => {
    const response = await post('/v2/models/cars/infer', Buffer.alloc(40), { 'inference-header-content-length': sent });
    expect(gateway.calls[0]?.inferenceHeaderLengthPlusOne).toBe(plusOne);
    expect(response.headers.get('inference-header-content-length')).toBe(sent);
  });

  it('has server health and metadata without a key', async () => {
    expect(await (await fetch(`${gateway.url}/v2/health/live`)).json()).toEqual({ live: true });
    expect(await (await fetch(`${gateway.url}/v2/health/ready`)).json()).toMatchObject({ ready: true });
    for (const path of ['/v2', '/v2/']) {
      expect(await (await fetch(`${gateway.url}${path}`)).json()).toMatchObject({
        name: 'mooring',
        extensions: expect.arrayContaining(['binary_tensor_data']),
      });
    }
    for (const path of ['/healthz', '/readyz']) expect((await fetch(`${gateway.url}${path}`)).status).toBe(200);
  });

  it('lists the deployments that the key opens', async () => {
    gateway.answer = async (call) =>
      call.deployment === 'luca'
        ? failedReply(new PlatformError('unavailable', 'NO_INSTANCE', 'none is ready'), false)
        : echo(call);
    const all = await (await post('/v2/repository/index', '')).json();
    expect(all).toEqual([
      { name: 'cars', version: 'martina', state: 'READY', reason: '' },
      { name: 'cars', version: 'luca', state: 'UNAVAILABLE', reason: 'none is ready' },
    ]);
    expect(await (await post('/endpoints/cars/v2/repository/index', '{"ready":true}')).json()).toHaveLength(1);
    expect((await post('/v2/repository/index', '[1]')).status).toBe(400);
    expect((await fetch(`${gateway.url}/v2/repository/index`, { method: 'POST' })).status).toBe(401);
  });

  it('adds up the statistics of the endpoints that the key opens', async () => {
    gateway.answer = async (call) =>
      reply({ status: 200, body: Buffer.from(JSON.stringify({ model_stats: [{ name: call.endpoint }] })) });
    expect(await (await at('/v2/models/stats')).json()).toEqual({ model_stats: [{ name: 'cars' }] });
    expect(await (await at('/endpoints/cars/v2/models/stats')).json()).toEqual({ model_stats: [{ name: 'cars' }] });
  });

  it.each([
    ['/v2/models/cars/infer', 'GET', 405],
    ['/v2/models/cars', 'POST', 405],
    ['/v2/repository/models/cars/load', 'POST', 501],
    ['/v2/systemsharedmemory/status', 'GET', 501],
    ['/v2/models/cars/generate_stream', 'POST', 501],
    ['/endpoints/cars/invocations', 'POST', 501],
    ['/endpoints/cars/openai/v1/chat/completions', 'POST', 501],
    ['/endpoints/cars/nothing', 'GET', 404],
    ['/v2/models/cars/nothing', 'GET', 404],
    ['/nothing', 'GET', 404],
    ['/', 'GET', 404],
  ])('%s %s answers %d', async (path, method, status) => {
    const response = await at(path, { method });
    expect(response.status).toBe(status);
    const body = (await response.json()) as { error: unknown };
    if (path.startsWith('/v2')) expect(typeof body.error).toBe('string');
    else expect(body.error).toMatchObject({ code: expect.any(String), message: expect.any(String) });
  });

  it('finds the endpoint by host name', async () => {
    const got = (path: string, host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const call = httpRequest(`${gateway.url}${path}`, { headers: { ...bearer, host } }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        });
        call.on('error', reject).end();
      });
    expect(await got('/score', 'CARS.models.example.org:8080')).toBe(200);
    expect(await got('/v2/models/fern', 'cars.models.example.org')).toBe(200);
    expect(await got('/score', 'boats.models.example.org')).toBe(404);
    expect(await got('/score', 'models.example.org')).toBe(404);
    expect(gateway.calls.map(({ operation }) => operation)).toEqual([
      Operation.OPERATION_SCORE,
      Operation.OPERATION_METADATA,
    ]);
  });
});

describe('compression', () => {
  const text = JSON.stringify({ data: Array.from({ length: 2_000 }, (_unused, n) => n) });

  it.each([
    { encoding: 'gzip', packed: gzipSync(text) },
    { encoding: 'GZIP', packed: gzipSync(text) },
    { encoding: 'deflate', packed: deflateSync(text) },
    { encoding: 'deflate', packed: deflateRawSync(text) },
    { encoding: 'identity', packed: Buffer.from(text) },
  ])('takes a body in $encoding', async ({ encoding, packed }) => {
    expect((await post('/endpoints/cars/score', packed, { 'content-encoding': encoding })).status).toBe(200);
    expect(gateway.calls[0]?.body.toString()).toBe(text);
    expect(gateway.calls[0]?.headers.some(({ name }) => name === 'content-encoding')).toBe(false);
  });

  it.each([
    { encoding: 'br', status: 415 },
    { encoding: 'gzip, gzip', status: 415 },
    { encoding: 'gzip', status: 400 },
    { encoding: 'deflate', status: 400 },
  ])('answers $status to a body that is not $encoding', async ({ encoding, status }) => {
    expect((await post('/endpoints/cars/score', 'this is plain text', { 'content-encoding': encoding })).status).toBe(
      status,
    );
  });

  it('answers 400 to a gzip body that was cut short', async () => {
    expect(
      (await post('/endpoints/cars/score', gzipSync(text).subarray(0, 200), { 'content-encoding': 'gzip' })).status,
    ).toBe(400);
  });

  const raw = (
    headers: Record<string, string>,
    body: Buffer | string,
  ): Promise<{ headers: NodeJS.Dict<string | string[]>; body: Buffer }> =>
    new Promise((resolve, reject) => {
      const call = httpRequest(
        `${gateway.url}/v2/models/cars/infer`,
        { method: 'POST', headers: { ...bearer, ...headers } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
        },
      );
      call.on('error', reject).end(body);
    });

  it.each([
    { accept: 'gzip', encoding: 'gzip', open: gunzipSync },
    { accept: 'deflate', encoding: 'deflate', open: inflateSync },
    { accept: 'deflate;q=0.5, gzip;q=0.9', encoding: 'gzip', open: gunzipSync },
    { accept: '*', encoding: 'gzip', open: gunzipSync },
    { accept: 'gzip;q=0, deflate', encoding: 'deflate', open: inflateSync },
  ])(
    'answers in $encoding to Accept-Encoding: $accept; the JSON length counts what was before',
    async ({ accept, encoding, open }) => {
      const answer = await raw({ 'accept-encoding': accept, 'inference-header-content-length': '300' }, text);
      expect(answer.headers['content-encoding']).toBe(encoding);
      expect(answer.headers['inference-header-content-length']).toBe('300');
      expect(answer.body.length).toBeLessThan(text.length);
      expect(open(answer.body).toString()).toBe(text);
    },
  );

  it.each(['', 'br', 'gzip;q=0', 'identity'])('answers plainly to Accept-Encoding: %s', async (accept) => {
    const answer = await raw({ 'accept-encoding': accept }, text);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.body.toString()).toBe(text);
  });

  it('does not compress what is small', async () => {
    expect((await raw({ 'accept-encoding': 'gzip' }, '{}')).headers['content-encoding']).toBeUndefined();
  });
});

describe('the access line', () => {
  it('says who, what and where the time went; the stages add up to the total', async () => {
    gateway.answer = async (call) => {
      await new Promise((resolve) => setTimeout(resolve, 12));
      const timing = {
        totalUs: 9_000,
        queueUs: 1_000,
        batchWaitUs: 500,
        preprocessUs: 500,
        computeUs: 6_000,
        postprocessUs: 1_000,
      };
      return { ...(await echo(call)), timing, routerUs: 700, rows: 4, batchId: 'b-1', batchRows: 8, retries: 1 };
    };
    const response = await post('/endpoints/cars/score', '{"a":1}', { 'x-ms-client-request-id': 'mine' });
    await response.text();
    const [line] = await linesOf(gateway, 1);
    expect(line).toMatchObject({
      requestId: response.headers.get('x-request-id'),
      clientRequestId: 'mine',
      method: 'POST',
      route: '/endpoints/{name}/score',
      endpoint: 'cars',
      deployment: 'martina',
      protocol: 'score',
      status: 200,
      code: 'ok',
      bytesIn: 7,
      bytesOut: 7,
      rows: 4,
      batchId: 'b-1',
      batchRows: 8,
      pick: 'weight',
      retries: 1,
      callerGone: false,
    });
    expect(line?.stages).toMatchObject({
      queue: 1,
      batchWait: 0.5,
      preprocess: 0.5,
      compute: 6,
      postprocess: 1,
      route: 0.7,
    });
    const sum = Object.values(line?.stages ?? {}).reduce((total, ms) => total + ms, 0);
    expect(Math.abs(sum - (line?.totalMs ?? 0))).toBeLessThan(0.05 * (line?.totalMs ?? 0));
  });

  it('holds neither key nor payload, and says why a request failed', async () => {
    await (
      await post('/endpoints/cars/score?token=private', 'top secret', { authorization: 'Bearer hush-hush' })
    ).text();
    const [line] = await linesOf(gateway, 1);
    expect(line).toMatchObject({ status: 401, code: 'unauthenticated', reason: 'KEY_INVALID', endpoint: 'cars' });
    expect(JSON.stringify(line)).not.toMatch(/hush|secret|private/);
  });

  it('says that the caller left, and the model is told', async () => {
    const gone = new AbortController();
    const aborted = Promise.withResolvers<void>();
    gateway.answer = (_call, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          aborted.resolve();
          resolve(failedReply(new PlatformError('cancelled', 'CALLER_GONE', 'gone'), true));
        });
        gone.abort();
      });
    await expect(at('/endpoints/cars/score', { method: 'POST', body: '{}', signal: gone.signal })).rejects.toThrow();
    await aborted.promise;
    const [line] = await linesOf(gateway, 1);
    expect(line).toMatchObject({ callerGone: true, status: 499, code: 'cancelled' });
  });
});
