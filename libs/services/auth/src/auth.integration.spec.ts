import { chmodSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { AuthServiceClient, KeySlot } from '@mooring/contracts/auth';
import { dataFolder } from '@mooring/config';
import { verifyKey, watchCredentials } from '@mooring/credentials';
import { createClient, type RpcClient } from '@mooring/rpc';
import { startModules, type RunningModules } from '@mooring/runtime';
import { eventually, startTestNats, tempDir, type TempDir, type TestNats } from '@mooring/testing';
import { authModule } from './index.ts';

let nats: TestNats;
let data: TempDir;
let running: RunningModules;
let auth: RpcClient<AuthServiceClient>;
const logged: string[] = [];
const log = pino(
  { level: 'trace' },
  new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      logged.push(chunk.toString());
      done();
    },
  }),
);

beforeAll(async () => void (nats = await startTestNats()));
afterAll(() => nats.stop());

async function start(environment: Record<string, string> = {}): Promise<void> {
  running = await startModules([authModule], {
    environment: { ...nats.environment, MOORING_NATS_DEADLINE_MS: '1500', MOORING_DATA: data.path, ...environment },
    log,
  });
  auth = createClient(AuthServiceClient, `unix:${join(dataFolder(data.path).run, 'auth.sock')}`);
}

async function stop(): Promise<void> {
  auth.close();
  expect(await running.stop(5_000)).toEqual([]);
}

/** The bucket outlives a test's data folder, and so its master key: each test begins with an empty one. */
async function clearBucket(): Promise<void> {
  const connection = await nats.connect();
  const bucket = await connection.bucket('mooring_credentials');
  for (const key of (await bucket.list()).keys()) await bucket.delete(key);
  await connection.close();
}

beforeEach(async () => {
  data = tempDir();
  await clearBucket();
  await start();
});
afterEach(async () => {
  await stop();
  data.remove();
});

const keysOf = (endpoint: string) => auth.call('listEndpointKeys', { endpoint });

describe('endpoint keys', () => {
  it('are made once, however often and in whatever case it is asked', async () => {
    await Promise.all(
      ['cars', 'Cars', 'cars', 'CARS'].map((endpoint) => auth.call('ensureEndpointKeys', { endpoint })),
    );
    const keys = await keysOf('cars');
    expect(keys.primaryKey).toMatch(/^[-_A-Za-z0-9]{43}$/);
    expect(keys.secondaryKey).not.toBe(keys.primaryKey);
    await auth.call('ensureEndpointKeys', { endpoint: 'cars' });
    expect(await keysOf('caRS')).toEqual(keys);
  });

  it('are regenerated one by one, and the data plane sees it within a second', async () => {
    await auth.call('ensureEndpointKeys', { endpoint: 'cars' });
    const before = await keysOf('cars');
    const connection = await nats.connect();
    const credentials = await watchCredentials(connection);
    const slotOf = (key: string) => {
      const record = credentials.get('Cars');
      return record === undefined ? undefined : verifyKey(record, key);
    };
    expect([slotOf(before.primaryKey), slotOf(before.secondaryKey)]).toEqual(['primary', 'secondary']);
    await auth.call('regenerateEndpointKey', { endpoint: 'cars', slot: KeySlot.KEY_SLOT_PRIMARY });
    await eventually(() => slotOf(before.primaryKey) === undefined, { timeoutMs: 1_000 });
    const after = await keysOf('cars');
    expect([slotOf(after.primaryKey), slotOf(after.secondaryKey)]).toEqual(['primary', 'secondary']);
    expect(after.secondaryKey).toBe(before.secondaryKey);
    await auth.call('deleteEndpointKeys', { endpoint: 'cars' });
    await eventually(() => credentials.get('cars') === undefined, { timeoutMs: 1_000 });
    credentials.stop();
  });

  it('survive writers who regenerate both slots at once: no new key is lost', async () => {
    await auth.call('ensureEndpointKeys', { endpoint: 'cars' });
    const before = await keysOf('cars');
    await Promise.all(
      [KeySlot.KEY_SLOT_PRIMARY, KeySlot.KEY_SLOT_SECONDARY].map((slot) =>
        auth.call('regenerateEndpointKey', { endpoint: 'cars', slot }),
      ),
    );
    const after = await keysOf('cars');
    expect(after.primaryKey).not.toBe(before.primaryKey);
    expect(after.secondaryKey).not.toBe(before.secondaryKey);
  });

  it('are deleted safely twice, and then there are none', async () => {
    await auth.call('ensureEndpointKeys', { endpoint: 'cars' });
    await auth.call('deleteEndpointKeys', { endpoint: 'cars' });
    await auth.call('deleteEndpointKeys', { endpoint: 'cars' });
    await expect(keysOf('cars')).rejects.toMatchObject({ code: 'not_found', reason: 'ENDPOINT_KEYS_NOT_FOUND' });
    await expect(
      auth.call('regenerateEndpointKey', { endpoint: 'cars', slot: KeySlot.KEY_SLOT_PRIMARY }),
    ).rejects.toMatchObject({ code: 'not_found' });
  });

  it('are refused for what is no name or no slot', async () => {
    await expect(auth.call('ensureEndpointKeys', { endpoint: '../x' })).rejects.toMatchObject({
      code: 'invalid_argument',
      problems: [{ path: 'endpoint' }],
    });
    await expect(
      auth.call('regenerateEndpointKey', { endpoint: 'cars', slot: KeySlot.KEY_SLOT_UNSPECIFIED }),
    ).rejects.toMatchObject({ problems: [{ path: 'slot' }] });
  });

  it('come back after a restart of auth and of NATS; a lost NATS is a clear, retryable error', async () => {
    await auth.call('ensureEndpointKeys', { endpoint: 'cars' });
    const keys = await keysOf('cars');
    await nats.kill();
    await expect(auth.call('regenerateEndpointKey', { endpoint: 'cars', slot: 1 })).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'STATE_STORE_UNAVAILABLE',
    });
    await nats.resume();
    await stop();
    await start();
    expect(await keysOf('cars')).toEqual(keys);
  });
});

describe('secrets at rest', () => {
  it('are in no stored byte, no log line and no file but their own', async () => {
    await auth.call('ensureEndpointKeys', { endpoint: 'cars' });
    const keys = await keysOf('cars');
    const token = readFileSync(dataFolder(data.path).adminTokenFile, 'utf8').trim();
    await auth.call('authenticateManagement', { token });
    await auth.call('authenticateManagement', { token: `${token}x` }).catch(() => {});
    const { sealed } = await auth.call('seal', { plain: Buffer.from('db-password-7'), purpose: 'p' });
    await auth.call('open', { sealed, purpose: 'q' }).catch(() => {});
    const stored = filesBelow(nats.storeDir).map((file) => readFileSync(file));
    expect(stored.some((bytes) => bytes.includes('endpoint.cars'))).toBe(true);
    for (const secret of [keys.primaryKey, keys.secondaryKey, token, 'db-password-7']) {
      expect(stored.some((bytes) => bytes.includes(secret))).toBe(false);
      expect(logged.some((line) => line.includes(secret))).toBe(false);
    }
  });

  it('are files of their owner alone; auth does not start when others could read one', async () => {
    const { secrets } = dataFolder(data.path);
    expect(readdirSync(secrets).toSorted()).toEqual(['admin.token', 'master.key']);
    for (const name of readdirSync(secrets)) expect(statSync(join(secrets, name)).mode & 0o777).toBe(0o600);
    await stop();
    chmodSync(join(secrets, 'admin.token'), 0o644);
    await expect(start()).rejects.toThrow(`chmod 600 '${join(secrets, 'admin.token')}'`);
    chmodSync(join(secrets, 'admin.token'), 0o600);
    await start();
  });

  it('are not touched under another master key: auth refuses to start', async () => {
    await stop();
    await expect(start({ MOORING_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') })).rejects.toThrow(
      'the master key is not the one',
    );
    await start();
  });
});

describe('authenticateManagement and seal', () => {
  it('know the admin and nobody else', async () => {
    const token = readFileSync(dataFolder(data.path).adminTokenFile, 'utf8').trim();
    expect(await auth.call('authenticateManagement', { token })).toEqual({ principal: 'admin' });
    for (const wrong of ['', 'x', token.toUpperCase()]) {
      await expect(auth.call('authenticateManagement', { token: wrong })).rejects.toMatchObject({
        code: 'unauthenticated',
        reason: 'MANAGEMENT_TOKEN_INVALID',
      });
    }
  });

  it('seal for one purpose, across restarts', async () => {
    const plain = Buffer.from('s3cret');
    const { sealed } = await auth.call('seal', { plain, purpose: 'environment/cars/luca' });
    await stop();
    await start();
    expect(Buffer.from((await auth.call('open', { sealed, purpose: 'environment/cars/luca' })).plain)).toEqual(plain);
    await expect(auth.call('open', { sealed, purpose: 'environment/cars/other' })).rejects.toMatchObject({
      code: 'failed_precondition',
      reason: 'SEAL_BROKEN',
    });
    await expect(auth.call('seal', { plain, purpose: '' })).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
