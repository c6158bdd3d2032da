import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { score } from './index.ts';
import { json, startSmallServer, type SmallServer } from './testing/small-server.ts';

let server: SmallServer;
beforeAll(async () => void (server = await startSmallServer()));
afterAll(() => server.close());

const call = (more: object = {}) =>
  score({ uri: `${server.url}/score`, key: 'k', body: Buffer.from('{}'), contentType: 'application/json', ...more });

describe('score', () => {
  it('sends the bytes with the key, and tells which deployment answered', async () => {
    server.answer((_request, response) =>
      json(response, 200, [1], { 'azureml-model-deployment': 'luca', 'x-request-id': 'r' }),
    );
    const answer = await call({ deployment: 'luca' });
    expect(answer).toMatchObject({ deployment: 'luca', requestId: 'r', contentType: 'application/json' });
    expect(answer.body.toString()).toBe('[1]');
    expect(server.seen[0]).toMatchObject({
      method: 'POST',
      headers: { authorization: 'Bearer k', 'azureml-model-deployment': 'luca', 'content-type': 'application/json' },
    });
  });

  it('says what the model answered, where, and for which request', async () => {
    server.answer((_request, response) =>
      json(
        response,
        424,
        { error: { code: 'ModelFailed', message: 'run() raised' } },
        { 'ms-azureml-model-error-statuscode': '500', 'azureml-model-deployment': 'luca', 'x-request-id': 'r1' },
      ),
    );
    await expect(call()).rejects.toMatchObject({
      code: 'model_failed',
      message: 'run() raised (deployment luca, the model answered 500, request r1)',
    });
  });

  it('does not take the key elsewhere, and does not score twice', async () => {
    server.answer((_request, response) => void response.writeHead(307, { location: `${server.url}/other` }).end());
    await expect(call()).rejects.toMatchObject({ code: 'unavailable' });
    expect(server.seen).toHaveLength(1);
    server.answer((_request, response) => void response.writeHead(503).end());
    await expect(call()).rejects.toMatchObject({ code: 'unavailable' });
    expect(server.seen).toHaveLength(1);
  });

  it('ends at its deadline', async () => {
    server.answer(() => undefined);
    await expect(call({ deadlineMs: 50 })).rejects.toMatchObject({ code: 'deadline_exceeded' });
  });
});
