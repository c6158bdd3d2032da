import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createManagementClient, type ManagementClient } from './index.ts';
import { createHttp } from './http.ts';
import { json, startSmallServer, type SmallServer } from './testing/small-server.ts';

let server: SmallServer;
let client: ManagementClient;
beforeAll(async () => {
  server = await startSmallServer();
  client = createManagementClient({ url: server.url, token: 'secret' });
});
afterAll(() => server.close());

const unavailable = { error: { code: 'X', message: 'not now' } };
const endpoint = { name: 'cars', properties: { provisioningState: 'Succeeded' } };

describe('a call of the management REST', () => {
  it('carries the credential, and the path of the workspace', async () => {
    server.answer((_request, response) => json(response, 200, endpoint, { etag: '"1"' }));
    expect(await client.onlineEndpoints.get('cars')).toEqual({ body: endpoint, etag: '"1"' });
    expect(server.seen[0]).toMatchObject({
      method: 'GET',
      url:
        '/subscriptions/local/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/default' +
        '/onlineEndpoints/cars?api-version=2024-04-01',
      headers: { authorization: 'Bearer secret', accept: 'application/json' },
    });
  });

  it('reads again while the server is unavailable, as soon as the server says', async () => {
    server.answer((_request, response, nth) =>
      nth < 3 ? json(response, 503, unavailable, { 'retry-after': '0' }) : json(response, 200, endpoint),
    );
    expect((await client.onlineEndpoints.get('cars')).body).toEqual(endpoint);
    expect(server.seen).toHaveLength(3);
  });

  it('gives up after four reads', async () => {
    server.answer((_request, response) => json(response, 503, unavailable, { 'retry-after': '0' }));
    await expect(client.onlineEndpoints.get('cars')).rejects.toMatchObject({ code: 'unavailable', message: 'not now' });
    expect(server.seen).toHaveLength(4);
  });

  it.each(['put', 'delete', 'regenerateKeys'] as const)('does not repeat %s: it may have happened', async (verb) => {
    server.answer((_request, response) => json(response, 503, unavailable, { 'retry-after': '0' }));
    const call = {
      put: () => client.onlineEndpoints.put('cars', { properties: {} }),
      delete: () => client.onlineEndpoints.delete('cars'),
      regenerateKeys: () => client.onlineEndpoints.regenerateKeys('cars', 'Primary'),
    }[verb];
    await expect(call()).rejects.toMatchObject({ code: 'unavailable' });
    expect(server.seen).toHaveLength(1);
  });

  it('gives a refusal back as the server threw it', async () => {
    const problems = [{ path: 'properties.traffic', problem: 'sums to 90', expected: '0 or 100' }];
    const info = { code: 'invalid_argument', reason: 'TRAFFIC_SUM', problems };
    server.answer((_request, response) =>
      json(response, 400, { error: { code: 'BadArgument', message: 'no', additionalInfo: [{ type: 'x', info }] } }),
    );
    await expect(client.onlineEndpoints.get('cars')).rejects.toMatchObject({
      code: 'invalid_argument',
      reason: 'TRAFFIC_SUM',
      message: 'no',
      problems,
    });
  });

  it.each<[number, string, string, string]>([
    [404, '', 'not_found', 'HTTP_404'],
    [401, '<html>', 'unauthenticated', 'HTTP_401'],
    [
      409,
      '{"error": {"code": "Conflict", "details": [{"target": "name", "message": "is taken"}]}}',
      'already_exists',
      'Conflict',
    ],
    [418, 'null', 'invalid_argument', 'HTTP_418'],
    [500, '{"error": "text"}', 'internal', 'HTTP_500'],
    [500, '[[[', 'internal', 'HTTP_500'],
  ])('makes an error of status %i with the body %j', async (status, body, code, reason) => {
    server.answer((_request, response) => void response.writeHead(status).end(body));
    await expect(client.onlineEndpoints.get('cars')).rejects.toMatchObject({ code, reason });
  });

  it('lets no control character of a foreign answer into a message', async () => {
    server.answer((_request, response) => void response.writeHead(500).end('\x1b[2Jboom'));
    await expect(client.onlineEndpoints.get('cars')).rejects.toThrow(/^[^\p{Cc}]+$/u);
  });

  it('says when what answers is no management address', async () => {
    server.answer((_request, response) => void response.writeHead(200).end('<html>'));
    await expect(client.onlineEndpoints.list()).rejects.toMatchObject({ reason: 'NOT_MANAGEMENT' });
  });

  it('does not follow an address that moved: the credential stays here', async () => {
    server.answer((_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
    await expect(client.onlineEndpoints.put('cars', { properties: {} })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('follows the pages of a list on its own server only', async () => {
    server.answer((request, response) =>
      json(
        response,
        200,
        request.url.includes('page=2')
          ? { value: [{ name: 'b', properties: {} }] }
          : { value: [{ name: 'a', properties: {} }], nextLink: `http://elsewhere.invalid/x?page=2` },
      ),
    );
    expect((await client.onlineEndpoints.list()).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(server.seen[1]?.url).toBe('/x?page=2');
  });

  it('says where nothing answers', async () => {
    const closed = await startSmallServer();
    await closed.close();
    const nowhere = createHttp({ url: closed.url, token: 't' });
    await expect(nowhere.send({ method: 'PUT', path: '/x' })).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'PLATFORM_UNREACHABLE',
      message: expect.stringContaining(`${closed.url} (ECONNREFUSED)`),
    });
  });

  it('ends at its deadline', async () => {
    server.answer(() => undefined);
    const http = createHttp({ url: server.url, token: 't' });
    await expect(http.send({ method: 'PUT', path: '/x', deadlineMs: 50 })).rejects.toMatchObject({
      code: 'deadline_exceeded',
      reason: 'MANAGEMENT_TIMEOUT',
    });
  });

  it('ends when it is cancelled', async () => {
    const cancel = new AbortController();
    server.answer(() => cancel.abort());
    await expect(client.onlineEndpoints.get('cars', { signal: cancel.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
  });

  it.each(['', '.', '..', 'x'.repeat(2000)])('does not take %j for a name', async (name) => {
    server.answer((_request, response) => json(response, 200, endpoint));
    const refusedName = { code: 'invalid_argument', reason: 'BAD_NAME' };
    expect(() => client.onlineEndpoints.delete(name)).toThrow(expect.objectContaining(refusedName));
    expect(() => client.onlineDeployments.get('cars', name)).toThrow(expect.objectContaining(refusedName));
    expect(() => client.assets('models').getVersion('fern', name)).toThrow(expect.objectContaining(refusedName));
    expect(server.seen).toHaveLength(0);
  });

  it('keeps a name one segment of the path, whatever it holds', async () => {
    server.answer((_request, response) => json(response, 200, endpoint));
    await client.assets('models').getContainer('a/../b?c#d%2e \ud800');
    expect(server.seen[0]?.url).toMatch(/\/models\/a%2F\.\.%2Fb%3Fc%23d%252e%20%EF%BF%BD\?api-version=/);
  });

  it.each(['', 'nowhere', 'ftp://x', '/path', 'http://'])('does not take %j for an address', (url) => {
    expect(() => createHttp({ url, token: 't' })).toThrow(/is not an http\(s\) address/);
  });
});
