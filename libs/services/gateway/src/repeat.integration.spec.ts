import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { failedReply, reply } from '@mooring/scoring-stream';
import { exchangeRaw } from './testing/raw-http.ts';
import { bearer, echo, startTestGateway, type TestGateway } from './testing/test-gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.calls.length = 0;
  gateway.answer = echo;
});

const post = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.url}${path}`, { method: 'POST', body: '{}', headers: { ...bearer, ...headers } });

it.each(['/endpoints/cars/score', '/endpoints/cars/v2/models/cars/infer'])(
  'hands the Idempotency-Key of %s on, as it is, and none where there is none',
  async (path) => {
    await post(path, { 'Idempotency-Key': 'order 7/"a"' });
    await post(path);
    expect(gateway.calls.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['order 7/"a"', '']);
  },
);

it.each([
  ['empty', '', 'is empty'],
  ['too long', 'k'.repeat(256), 'has 256 characters'],
  ['huge', 'k'.repeat(6_000), 'has 6000 characters'],
  ['not printable', 'k\u00e9', 'has others'],
])('refuses a key that is %s, in the words of the protocol', async (_what, key, why) => {
  const headers = { 'idempotency-key': key };
  const azure = await post('/endpoints/cars/score', headers);
  expect(azure.status).toBe(400);
  const { error } = (await azure.json()) as { error: { reason: string; message: string } };
  expect(error).toMatchObject({ reason: 'IDEMPOTENCY_KEY_INVALID', message: expect.stringContaining(why) });
  const oip = await post('/endpoints/cars/v2/models/cars/infer', headers);
  expect(oip.status).toBe(400);
  expect(await oip.json()).toMatchObject({ reason: 'IDEMPOTENCY_KEY_INVALID' });
  expect(gateway.calls).toEqual([]);
});

it('refuses two keys for one request, which may be one of the caller and one of a proxy', async () => {
  const head = `POST /endpoints/cars/score HTTP/1.1\r\nhost: x\r\nauthorization: ${bearer.authorization}\r\ncontent-length: 2\r\n`;
  const answer = await exchangeRaw(gateway.url, `${head}idempotency-key: a\r\nIdempotency-Key: a\r\n\r\n{}`);
  expect([answer.status, gateway.calls]).toEqual([400, []]);
});

it.each([
  [{ idempotency: 'replayed' }, { 'idempotency-replayed': 'true', 'x-mooring-idempotency': 'replayed' }],
  [{ idempotency: 'stored' }, { 'x-mooring-idempotency': 'stored' }],
  [{ idempotency: 'not-stored' }, { 'x-mooring-idempotency': 'not-stored' }],
  [{ cache: 'hit' }, { 'x-mooring-cache': 'hit' }],
  [
    { cache: 'shared', idempotency: 'stored' },
    { 'x-mooring-cache': 'shared', 'x-mooring-idempotency': 'stored' },
  ],
  [{}, {}],
])('says in headers that %j', async (fields, wanted) => {
  // A script that says so of itself is not believed.
  const forged = ['x-mooring-cache', 'x-mooring-idempotency', 'idempotency-replayed'].map((name) => ({
    name,
    value: 'forged',
  }));
  gateway.answer = async () => reply({ status: 200, headers: forged, ...fields });
  const { headers } = await post('/endpoints/cars/score');
  const said = [...headers].filter(([name]) => /mooring-cache|idempotency/.test(name));
  expect(Object.fromEntries(said)).toEqual(wanted);
});

it("says so of a model's own failure, too, and puts the asker's request id into it", async () => {
  const failure = new PlatformError('model_failed', 'SCRIPT_FAILED', 'it raised', { modelStatus: 500 });
  gateway.answer = async () => ({ ...failedReply(failure, true), idempotency: 'replayed' });
  const [first, second] = [await post('/endpoints/cars/score'), await post('/endpoints/cars/score')];
  const ids = [];
  for (const answer of [first, second]) {
    expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([424, 'true']);
    const { error } = (await answer.json()) as { error: { requestId: string } };
    expect(error.requestId).toBe(answer.headers.get('x-request-id'));
    ids.push(error.requestId);
  }
  expect(new Set(ids).size).toBe(2);
});

it('answers 409 to a key that came with another request before', async () => {
  const reused = new PlatformError('already_exists', 'IDEMPOTENCY_KEY_REUSED', 'another request');
  gateway.answer = async () => failedReply(reused, false);
  const answer = await post('/endpoints/cars/score', { 'idempotency-key': 'a' });
  expect(answer.status).toBe(409);
  expect(await answer.json()).toMatchObject({ error: { reason: 'IDEMPOTENCY_KEY_REUSED' } });
});
