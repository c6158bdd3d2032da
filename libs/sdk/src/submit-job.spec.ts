import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitJob } from './index.ts';
import { json, startSmallServer, type SmallServer } from './testing/small-server.ts';

let server: SmallServer;
beforeAll(async () => void (server = await startSmallServer()));
afterAll(() => server.close());

const call = (more: object = {}) =>
  submitJob({ uri: `${server.url}/jobs`, key: 'k', body: { properties: {} }, idempotencyKey: 'once', ...more });

describe('submitJob', () => {
  it('sends the key, the deployment and one idempotency key through every try', async () => {
    server.answer((_request, response, nth) => {
      if (nth === 1) return json(response, 503, { error: { code: 'x', message: 'later' } }, { 'retry-after': '0' });
      return json(response, 201, { name: 'night-1', properties: { status: 'Queued' } });
    });
    expect(await call({ deployment: 'luca' })).toEqual({ name: 'night-1', properties: { status: 'Queued' } });
    expect(server.seen).toHaveLength(2);
    for (const { headers, body } of server.seen) {
      expect(headers).toMatchObject({
        authorization: 'Bearer k',
        'idempotency-key': 'once',
        'azureml-model-deployment': 'luca',
      });
      expect(body.toString()).toBe('{"properties":{}}');
    }
  });

  it('rejects with what the data plane says, and sends a wrong request once', async () => {
    server.answer((_request, response) => json(response, 400, { error: { code: 'BAD', message: 'no input' } }));
    await expect(call()).rejects.toMatchObject({ code: 'invalid_argument', message: 'no input' });
    expect(server.seen).toHaveLength(1);
  });

  it('says so where something else answers', async () => {
    server.answer((_request, response) => void response.writeHead(200).end('<html>'));
    await expect(call()).rejects.toMatchObject({ reason: 'NOT_DATA_PLANE' });
  });

  it('ends when the user stops', async () => {
    const cancel = new AbortController();
    server.answer(() => cancel.abort());
    await expect(call({ signal: cancel.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });
});
