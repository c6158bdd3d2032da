import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { credentialsBucket, credentialsKey, keyVerifier } from '@mooring/credentials';
import {
  kvKey,
  type BatchEndpointRecord,
  type EndpointCredentialsRecord,
  type MemberRecord,
  type RoutingRecord,
} from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import { startGrpcServer, type GrpcServer } from '@mooring/rpc';
import { startModules, type RunningModules } from '@mooring/runtime';
import { reply, serveScoringStream, type ScoreCall } from '@mooring/scoring-stream';
import { eventually, startTestNats, tempDir, type TempDir, type TestNats } from '@mooring/testing';
import { gatewayModule } from './index.ts';

const log = pino({ enabled: false });
const newKey = (): string => randomBytes(32).toString('base64url');
const slot = (key: string) => ({ ...keyVerifier(key, randomBytes(16)), sealed: '' });

let store: TestNats;
let nats: Nats;
let router: GrpcServer;
let running: RunningModules;
let url: string;
let folder: TempDir;
const calls: ScoreCall[] = [];
const [primary, secondary] = [newKey(), newKey()];

async function writeKeys(first: string, second: string): Promise<void> {
  const record: EndpointCredentialsRecord = { endpoint: 'cars', primary: slot(first), secondary: slot(second) };
  await (await nats.bucket<EndpointCredentialsRecord>(credentialsBucket)).put(credentialsKey('cars'), record);
}

async function writeRoute(endpoint: string): Promise<void> {
  const route: RoutingRecord = {
    endpoint,
    createdAt: '2026-01-01T00:00:00.000Z',
    authMode: 'key',
    traffic: {},
    mirrorTraffic: {},
    deployments: {},
    generation: 1,
  };
  await (await nats.bucket<RoutingRecord>('mooring_routing')).put(kvKey(endpoint), route);
}

const score = (name: string, key: string): Promise<number> =>
  fetch(`${url}/endpoints/${name}/score`, {
    method: 'POST',
    body: 'photo',
    headers: { authorization: `Bearer ${key}` },
  }).then(async (response) => {
    await response.text();
    return response.status;
  });

beforeAll(async () => {
  store = await startTestNats();
  nats = await store.connect();
  await writeKeys(primary, secondary);
  await writeRoute('cars');
  folder = tempDir();
  const address = `unix:${join(folder.path, 'router.sock')}`;
  const port = {
    score: async (call: ScoreCall) => {
      calls.push(call);
      return reply({ status: 200, body: call.body, deployment: 'luca', contentType: 'text/plain' });
    },
  };
  const stream = serveScoringStream({ port, credits: 64, wantsHeaders: true, instanceId: 'router', log });
  router = await startGrpcServer({ address, services: [stream], log, ready: () => true });
  running = await startModules([gatewayModule], {
    log,
    environment: {
      ...store.environment,
      MOORING_GATEWAY_HTTP: '127.0.0.1:0',
      MOORING_GATEWAY_ROUTER: address,
      MOORING_GATEWAY_ACCESS_LOG: join(folder.path, 'access.log'),
    },
  });
  url = running.get(gatewayModule)?.url ?? '';
});
afterAll(async () => {
  await running.stop(5_000);
  await router.stop(AbortSignal.timeout(1_000));
  await store.stop();
  folder.remove();
});

describe('a gateway in a process of its own', () => {
  it('is ready once its router is, and says where it listens', async () => {
    await eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
    const member = await (await nats.bucket<MemberRecord>('mooring_members')).get('gateway');
    expect(member?.value).toMatchObject({ service: 'gateway', url });
  });

  it('takes either key and reaches the router over the stream', async () => {
    expect(await score('cars', primary)).toBe(200);
    expect(await score('CARS', secondary)).toBe(200);
    expect(await score('cars', newKey())).toBe(401);
    expect(calls.map((call) => call.body.toString())).toEqual(['photo', 'photo']);
    expect(calls[0]?.headers.some(({ name }) => name === 'user-agent')).toBe(true);
  });

  it('follows a regenerated key within a second while the other goes on working', async () => {
    const fresh = newKey();
    await writeKeys(fresh, secondary);
    await eventually(async () => expect(await score('cars', primary)).toBe(401), { timeoutMs: 1_000 });
    expect(await score('cars', fresh)).toBe(200);
    expect(await score('cars', secondary)).toBe(200);
    await writeKeys(primary, secondary);
    await eventually(async () => expect(await score('cars', primary)).toBe(200));
  });

  it('follows endpoints that come and go', async () => {
    expect(await score('boats', primary)).toBe(404);
    await writeRoute('boats');
    await eventually(async () => expect(await score('boats', primary)).toBe(401));
    await (await nats.bucket<RoutingRecord>('mooring_routing')).delete(kvKey('boats'));
    await eventually(async () => expect(await score('boats', primary)).toBe(404));
  });

  it('follows batch endpoints, too', async () => {
    const bucket = await nats.bucket<BatchEndpointRecord>('mooring_batch_endpoints');
    const listed = (): Promise<number> =>
      fetch(`${url}/endpoints/night/jobs`, { headers: { authorization: 'Bearer wrong' } }).then(({ status }) => status);
    expect(await listed()).toBe(404);
    await bucket.put('night', { endpoint: 'Night', createdAt: '2026-01-01T00:00:00.000Z', deployments: ['luca'] });
    await eventually(async () => expect(await listed()).toBe(401));
    expect(await score('night', primary)).toBe(404);
    await bucket.delete('night');
    await eventually(async () => expect(await listed()).toBe(404));
  });

  it('goes on with what it knows when the store is gone', async () => {
    await store.pause();
    try {
      expect(await score('cars', primary)).toBe(200);
      expect(await score('cars', newKey())).toBe(401);
    } finally {
      await store.resume();
    }
  });

  it('writes its access lines to the file, without keys', async () => {
    await eventually(() =>
      expect(readFileSync(join(folder.path, 'access.log'), 'utf8')).toContain('"deployment":"luca"'),
    );
    const text = readFileSync(join(folder.path, 'access.log'), 'utf8');
    for (const key of [primary, secondary]) expect(text).not.toContain(key);
  });

  it('answers 503 while the router is gone', async () => {
    const gone = new AbortController();
    gone.abort();
    await router.stop(gone.signal);
    await eventually(async () => expect(await score('cars', primary)).toBe(503));
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
  });
});
