import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, startTestNats, tempDir, type TempDir, type TestNats } from '@mooring/testing';
import { startTestManagement, type Answered, type TestManagement } from './testing/test-management.ts';

let nats: TestNats;
let data: TempDir;
let management: TestManagement;
let stopped = false;
beforeEach(async () => {
  stopped = false;
  nats = await startTestNats();
  data = tempDir();
  const environment = { MOORING_MANAGEMENT_TOKEN_CACHE_MS: '60000', MOORING_MANAGEMENT_BODY_BYTES_MAX: '4096' };
  management = await startTestManagement({ nats, data: data.path, environment });
});
afterEach(async () => {
  if (!stopped) await management.stop();
  await nats.stop();
  data.remove();
});

const endpoint = { properties: { authMode: 'Key' } };
const reasonOf = (answer: Answered): string => answer.json.error.additionalInfo[0].info.reason;

describe('while the state store is away', () => {
  it('changes are refused before they begin and nothing is half done; all comes back by itself', async () => {
    await management.send('PUT', 'onlineEndpoints/cars', { body: endpoint });
    await nats.kill();
    await eventually(async () => (await management.send('GET', '/readyz', { token: 'none' })).status === 503);
    const refused = await management.send('PUT', 'onlineEndpoints/more', { body: endpoint });
    expect([refused.status, reasonOf(refused)]).toEqual([503, 'STATE_STORE_UNAVAILABLE']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    for (const [method, path] of [
      ['DELETE', 'onlineEndpoints/cars'],
      ['GET', 'onlineEndpoints/cars'],
      ['GET', 'auditEvents'],
    ] as const) {
      const answer = await management.send(method, path);
      expect([answer.status, reasonOf(answer)]).toEqual([503, 'STATE_STORE_UNAVAILABLE']);
    }
    expect((await management.send('GET', '/healthz', { token: 'none' })).status).toBe(200);
    expect((await management.send('GET', '/metrics', { token: 'none' })).text).toContain('process_cpu_seconds_total');
    await nats.resume();
    await eventually(async () => (await management.send('GET', 'onlineEndpoints/cars')).status === 200, {
      timeoutMs: 15_000,
    });
    expect(await management.registry.has('online-endpoint', 'more')).toBe(false);
    await eventually(
      async () => (await management.send('PUT', 'onlineEndpoints/more', { body: endpoint })).status === 201,
    );
  });

  it('a change that comes just then is made whole or not at all', async () => {
    await nats.kill();
    const answer = await management.send('PUT', 'onlineEndpoints/cars', { body: endpoint });
    expect(answer.status).toBe(503);
    await nats.resume();
    // What had been sent before the crash was noticed may still arrive: then all of it.
    const found = await eventually(
      async () => {
        const shown = await management.send('GET', 'onlineEndpoints/cars');
        expect([200, 404]).toContain(shown.status);
        return shown;
      },
      { timeoutMs: 15_000 },
    );
    if (found.status === 200) expect(found.json.properties.provisioningState).toBe('Creating');
  });
});

describe('while the registry is away', () => {
  it('every call is 503 with when to come again and no word of where it lives; then all goes on', async () => {
    await management.send('PUT', 'onlineEndpoints/cars', { body: endpoint });
    await management.stopRegistry();
    for (const [method, path] of [
      ['PUT', 'onlineEndpoints/cars'],
      ['GET', 'onlineEndpoints/cars'],
      ['GET', 'models'],
      ['DELETE', 'onlineEndpoints/cars'],
    ] as const) {
      const answer = await management.send(method, path, method === 'PUT' ? { body: endpoint } : {});
      expect([answer.status, reasonOf(answer)]).toEqual([503, 'REGISTRY_UNAVAILABLE']);
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(answer.text).not.toContain('.sock');
    }
    const { json } = await management.send('GET', 'auditEvents');
    expect(json.value[0]).toMatchObject({ action: 'onlineEndpoints/delete', outcome: 'failed', status: 503 });
    await management.startRegistry();
    await eventually(async () => (await management.send('GET', 'onlineEndpoints')).status === 200);
  });
});

describe('while auth is away', () => {
  it('callers whose token it has confirmed are let in for a while, others are asked to come again', async () => {
    expect((await management.send('GET', 'onlineEndpoints')).status).toBe(200);
    await management.stopAuth();
    expect((await management.send('GET', 'onlineEndpoints')).status).toBe(200);
    const other = await management.send('GET', 'onlineEndpoints', { token: 'another' });
    expect([other.status, reasonOf(other)]).toEqual([503, 'AUTH_UNAVAILABLE']);
    const upload = await management.send('POST', 'codes/c/versions/1/startPendingUpload', { body: {} });
    expect(upload.status).toBe(503);
  });
});

describe('limits', () => {
  it('nobody gets anywhere without the token, and unknown paths tell nothing to strangers', async () => {
    for (const path of ['onlineEndpoints', 'onlineEndpoints/x/listKeys', '/nothing', '/', 'batchEndpoints/x']) {
      for (const token of ['none', 'wrong']) {
        const answer = await management.send('GET', path, { token });
        expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      }
    }
    const put = await management.send('PUT', 'onlineEndpoints/cars', { body: endpoint, token: 'wrong' });
    expect(put.status).toBe(401);
    expect(await management.registry.has('online-endpoint', 'cars')).toBe(false);
  });

  it('bodies that are too large, compressed, or no JSON are refused', async () => {
    const put = (raw: string, headers: Record<string, string>) =>
      management.send('PUT', 'onlineEndpoints/cars', { raw, headers });
    const json = { 'content-type': 'application/json' };
    expect((await put(JSON.stringify({ a: 'x'.repeat(5_000) }), json)).status).toBe(413);
    expect((await put('a=b', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
    expect((await put('{}', { ...json, 'content-encoding': 'gzip' })).status).toBe(415);
    expect((await put('{', json)).status).toBe(400);
    expect((await put('['.repeat(4_000), json)).status).toBe(400);
    expect((await put(JSON.stringify(endpoint), { 'content-type': 'application/json; charset=utf-8' })).status).toBe(
      201,
    );
  });

  it('ids of the caller are echoed when they are well formed', async () => {
    const ids = { 'x-ms-client-request-id': 'mine-1', 'x-ms-correlation-request-id': 'theirs-2' };
    const answer = await management.send('GET', 'onlineEndpoints', { headers: ids });
    expect(answer.headers.get('x-ms-client-request-id')).toBe('mine-1');
    expect(answer.headers.get('x-ms-correlation-request-id')).toBe('theirs-2');
    const odd = await management.send('GET', 'onlineEndpoints', { headers: { 'x-ms-client-request-id': 'a b"c' } });
    expect(odd.headers.get('x-ms-client-request-id')).toBeNull();
    expect(odd.headers.get('x-ms-correlation-request-id')).toBe(odd.headers.get('x-ms-request-id'));
  });
});

describe('beyond this machine', () => {
  it('metrics need the token too, while health stays open', async () => {
    await management.stop();
    const environment = { MOORING_MANAGEMENT_HTTP: '0.0.0.0:0', MOORING_MANAGEMENT_INSECURE: 'true' };
    management = await startTestManagement({ nats, data: data.path, environment });
    expect((await management.send('GET', '/metrics', { token: 'none' })).status).toBe(401);
    expect((await management.send('GET', '/metrics')).status).toBe(200);
    expect((await management.send('GET', '/healthz', { token: 'none' })).status).toBe(200);
  });
});

describe('stopping', () => {
  it('finishes what is open and takes nothing more', async () => {
    const { hostname, port } = new URL(management.url);
    const body = JSON.stringify(endpoint);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const path =
      '/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w/onlineEndpoints/late';
    const head = `PUT ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${management.token}\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n`;
    socket.write(`${head}content-length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
    await eventually(() => text.includes('100 Continue'));
    const stopping = management.stop();
    stopped = true;
    await eventually(async () => {
      const refused = await fetch(`${management.url}/healthz`).catch(() => undefined);
      return refused === undefined;
    });
    socket.write(body.slice(5));
    await stopping;
    await eventually(() => /^HTTP\/1\.1 [2-5]\d\d /m.test(text));
    expect(text).toMatch(/^HTTP\/1\.1 201 /m);
    expect(text.toLowerCase()).toContain('connection: close');
  });
});
