import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createManagementClient, type ManagementClient, type Step } from './index.ts';
import { json, startSmallServer, type SmallServer } from './testing/small-server.ts';

let server: SmallServer;
let client: ManagementClient;
beforeAll(async () => {
  server = await startSmallServer();
  client = createManagementClient({ url: server.url, token: 'secret' });
});
afterAll(() => server.close());

const soon = { 'retry-after': '0' };
const resource = (provisioningState: string, more: object = {}) => ({
  name: 'cars',
  properties: { provisioningState, ...more },
});

/** A PUT whose operation tells `statuses` one after another. */
function operation(...statuses: object[]): void {
  let polled = 0;
  server.answer((request, response) => {
    const asyncOperation = `${server.url}/operations/1?api-version=x`;
    if (request.method === 'PUT')
      return json(response, 201, resource('Creating'), { ...soon, 'azure-asyncoperation': asyncOperation });
    if (request.url.startsWith('/operations/')) {
      const status = statuses[Math.min(polled, statuses.length - 1)];
      polled += 1;
      return json(response, 200, status, soon);
    }
    return json(response, 200, resource('Succeeded'), { etag: '"2"' });
  });
}

const put = (more: object = {}) => client.onlineEndpoints.put('cars', { properties: {} }, more);

describe('a long-running operation', () => {
  it('is asked about until it has succeeded; then the resource is read anew', async () => {
    operation({ status: 'InProgress' }, { status: 'InProgress' }, { status: 'Succeeded' });
    expect(await put()).toMatchObject({ body: resource('Succeeded'), etag: '"2"' });
    expect(server.seen.map(({ method, url }) => `${method} ${url.split('?')[0]?.split('/').at(-1)}`)).toEqual([
      'PUT cars',
      'GET 1',
      'GET 1',
      'GET 1',
      'GET cars',
    ]);
  });

  it('tells each step once', async () => {
    operation(
      { status: 'InProgress', step: 'building', percentComplete: 10 },
      { status: 'InProgress', step: 'building', percentComplete: 10 },
      { status: 'InProgress', step: 'starting' },
      { status: 'InProgress' },
      { status: 'Succeeded' },
    );
    const steps: Step[] = [];
    await put({ onStep: (step: Step) => steps.push(step) });
    expect(steps).toEqual([{ step: 'building', percentComplete: 10 }, { step: 'starting' }]);
  });

  it('fails with the reason of the operation', async () => {
    operation({ status: 'Failed', error: { code: 'UserScriptInitFailed', message: 'init() raised' } });
    await expect(put()).rejects.toMatchObject({
      code: 'failed_precondition',
      reason: 'UserScriptInitFailed',
      message: 'init() raised',
    });
  });

  it('says that a newer change took its place', async () => {
    operation({ status: 'Canceled' });
    await expect(put()).rejects.toMatchObject({ code: 'aborted', message: expect.stringContaining('newer change') });
  });

  it('goes on through a restart of the server', async () => {
    operation({ status: 'Succeeded' });
    let refused = 0;
    const http = createManagementClient({
      url: server.url,
      token: 'secret',
      fetch: async (...call) => {
        const [address] = call;
        // Longer than the retries of one read last.
        if (String(address).includes('/operations/') && (refused += 1) <= 5) throw new TypeError('fetch failed');
        return fetch(...call);
      },
    });
    expect(await http.onlineEndpoints.put('cars', { properties: {} })).toMatchObject({ body: resource('Succeeded') });
    expect(refused).toBe(6);
  }, 20_000);

  it('returns the first answer when it is not to be waited for', async () => {
    operation({ status: 'InProgress' });
    expect(await put({ wait: false })).toMatchObject({ body: resource('Creating') });
    expect(server.seen).toHaveLength(1);
  });

  it('is left alone when the user stops waiting', async () => {
    operation({ status: 'InProgress', step: 'building' });
    const cancel = new AbortController();
    const waiting = put({ signal: cancel.signal, onStep: () => cancel.abort() });
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('is left alone at the end of the client’s own patience', async () => {
    operation({ status: 'InProgress' });
    await expect(put({ operationDeadlineMs: 150 })).rejects.toMatchObject({
      code: 'deadline_exceeded',
      reason: 'OPERATION_TIMEOUT',
    });
  });

  it('may be told by the resource alone', async () => {
    server.answer((request, response, nth) => {
      if (request.method === 'PUT') return json(response, 201, resource('Creating'), soon);
      return json(response, 200, resource(nth < 4 ? 'Creating' : 'Succeeded', { mooring: { step: 's' } }), soon);
    });
    const steps: Step[] = [];
    expect(await put({ onStep: (step: Step) => steps.push(step) })).toMatchObject({ body: { name: 'cars' } });
    expect(steps).toEqual([{ step: 's' }]);
  });

  it('is none when the first answer has ended', async () => {
    server.answer((_request, response) => json(response, 200, resource('Succeeded')));
    await put();
    expect(server.seen.map(({ method }) => method)).toEqual(['PUT', 'GET']);
  });

  it('of a delete has ended when the resource is gone', async () => {
    server.answer((request, response, nth) => {
      if (request.method === 'DELETE') return void response.writeHead(202, soon).end();
      return nth < 3 ? json(response, 200, resource('Deleting'), soon) : json(response, 404, {});
    });
    expect(await client.onlineEndpoints.delete('cars')).toBe(true);
    server.answer((_request, response) => void response.writeHead(204).end());
    expect(await client.onlineEndpoints.delete('cars')).toBe(false);
  });
});
