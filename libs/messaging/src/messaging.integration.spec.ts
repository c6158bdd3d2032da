import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jetstreamManager, PersistMode } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { pino } from 'pino';
import { checkNats, connectNats, findNatsServer, startNatsServer, type Nats, type NatsServer } from './index.ts';

const log = pino({ enabled: false });
const folder = mkdtempSync(join(tmpdir(), 'nats-'));
const account = { user: 'mooring', password: 'p"w\\d' };
let server: NatsServer;
let nats: Nats;

beforeAll(async () => {
  server = await startNatsServer({ dataDir: folder, port: 0, ...account });
  nats = await connectNats({ url: server.url, ...account, name: 'spec', deadlineMs: 1_500 }, log);
});

afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Stops the server and starts it again on the same port with the same files. */
async function restart(between: () => Promise<void>): Promise<void> {
  await server.stop();
  await between();
  server = await startNatsServer({ dataDir: folder, port: Number(new URL(server.url).port), ...account });
}

/** Lists let go of what they used without waiting for it. */
async function eventuallyZero(count: () => Promise<number>): Promise<void> {
  const until = performance.now() + 3_000;
  let now = await count();
  while (now > 0 && performance.now() < until) now = await count();
  expect(now).toBe(0);
}

describe('the own nats-server', () => {
  it('keeps its password in a file that only the owner can read, and asks for it', async () => {
    expect(statSync(join(folder, 'nats.conf')).mode & 0o777).toBe(0o600);
    const nobody = connectNats({ url: server.url, name: 'nobody', deadlineMs: 500 }, log);
    await expect(nobody).rejects.toThrow(/authorization/i);
  });
});

describe('a NATS that somebody else runs', () => {
  const withAccount = (password: string): string => {
    const url = new URL(server.url);
    [url.username, url.password] = [account.user, encodeURIComponent(password)];
    return url.href;
  };

  it('is used with the account in its address', async () => {
    const url = withAccount(account.password);
    await checkNats({ url });
    const other = await connectNats({ url, name: 'spec', deadlineMs: 1_500 }, log);
    expect(await (await other.bucket<number>('mooring_addressed')).create('k', 1)).toBe(1);
    await other.close();
  });

  it('is refused with what to do about it, and the password is not repeated', async () => {
    const refusal = (url: string): Promise<string> =>
      checkNats({ url, deadlineMs: 1_000 }).then(
        () => 'accepted',
        (error: unknown) => String(error),
      );
    expect(await refusal(withAccount('not-the-one'))).toMatch(/refuses the account; .* MOORING_NATS_USER/);
    expect(await refusal(withAccount('not-the-one'))).not.toContain('not-the-one');
    expect(await refusal('nats://127.0.0.1:1')).toMatch(/127\.0\.0\.1:1 cannot be reached .*--nats/);
    expect(await refusal('user:secret@host')).toMatch(/^Error: the address of NATS is not a URL such as nats:[^@]*$/);
  });

  it('is refused without JetStream', async () => {
    const plain = spawn(findNatsServer(), ['-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', folder]);
    try {
      const file = join(folder, `nats-server_${plain.pid}.ports`);
      await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8'), { timeout: 10_000 }).toContain('nats://');
      const { nats: urls } = JSON.parse(readFileSync(file, 'utf8')) as { nats: string[] };
      await expect(checkNats({ url: urls[0] ?? '' })).rejects.toThrow(/has no JetStream .* -js/);
    } finally {
      plain.kill('SIGKILL');
    }
  });
});

describe('a bucket', () => {
  it('creates once, updates only on top of what was read, and keeps history', async () => {
    const bucket = await nats.bucket<{ n: number }>('mooring_cas', { history: 5 });
    const first = await bucket.create('a', { n: 1 });
    await expect(bucket.create('a', { n: 9 })).rejects.toMatchObject({ code: 'already_exists' });
    const second = await bucket.update('a', { n: 2 }, first);
    await expect(bucket.update('a', { n: 3 }, first)).rejects.toMatchObject({ code: 'aborted', reason: 'STALE_ETAG' });
    await bucket.delete('a', second);
    expect(await bucket.get('a')).toBeUndefined();
    expect(await bucket.create('a', { n: 4 })).toBeGreaterThan(second);
    expect((await bucket.history('a')).map((entry) => entry.value?.n)).toEqual([1, 2, undefined, 4]);
  });

  it('lets exactly one of many concurrent writers win', async () => {
    const bucket = await nats.bucket<{ n: number }>('mooring_race');
    const base = await bucket.create('k', { n: 0 });
    const writes = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => bucket.update('k', { n }, base)));
    expect(writes.filter((write) => write.status === 'fulfilled')).toHaveLength(1);
  });

  it('leaves nothing behind on the server, however often it is read', async () => {
    const bucket = await nats.bucket<number>('mooring_read', { history: 5 });
    await bucket.put('cars.luca', 1);
    await nats.ensureStream('mooring_read_stream', { subjects: ['mooring.read.>'], maxBytes: 1_000_000 });
    await nats.publish('mooring.read.x', 1);
    for (let time = 0; time < 20; time += 1) {
      await bucket.history('cars.luca');
      await bucket.history('cars.nobody');
      await bucket.list('cars');
      await bucket.list('boats');
      await nats.readStream('mooring_read_stream', { max: 1 });
    }
    const connection = await connect({ servers: server.url, user: account.user, pass: account.password });
    const manager = await jetstreamManager(connection);
    const left = async (stream: string) => (await manager.streams.info(stream)).state.consumer_count;
    await eventuallyZero(async () => (await left('KV_mooring_read')) + (await left('mooring_read_stream')));
    await connection.close();
  });

  it('removes what is below a prefix without leaving a mark', async () => {
    const bucket = await nats.bucket<number>('purged');
    for (const key of ['job-1.0', 'job-1.1', 'job-10.0']) await bucket.put(key, 1);
    await bucket.purge('job-1');
    expect([...(await bucket.list()).keys()]).toEqual(['job-10.0']);
    expect(await bucket.history('job-1.0')).toEqual([]);
  });

  it('lists below a prefix of whole names', async () => {
    const bucket = await nats.bucket<number>('mooring_list');
    await Promise.all(['cars', 'cars.luca', 'cars.martina', 'carsten.x'].map((key, n) => bucket.put(key, n)));
    expect([...(await bucket.list('cars')).keys()].toSorted()).toEqual(['cars', 'cars.luca', 'cars.martina']);
    expect(await bucket.list('nothing')).toEqual(new Map());
    expect((await bucket.list()).size).toBe(4);
  });
});

describe('what may be lost', () => {
  it('is found by the streams that hold it', async () => {
    await nats.bucket('kept_well');
    await nats.bucket('kept_in_memory', { memory: { ttlMs: 60_000, bytesMax: 2 ** 20 } });
    const [user, pass] = [account.user, account.password];
    const connection = await connect({ servers: server.url, user, pass });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'kept_later', subjects: ['kept.later'], persist_mode: PersistMode.Async });
    await connection.close();
    const names = ['KV_kept_well', 'KV_kept_in_memory', 'kept_later'];
    expect(await nats.lazyStreams(names)).toEqual(['KV_kept_in_memory', 'kept_later']);
  });
});

describe('a bucket in memory', () => {
  const memory = { ttlMs: 60_000, bytesMax: 64 * 1024 };

  it('is made once by whoever comes first, and compares and sets like any other', async () => {
    const buckets = await Promise.all(
      Array.from({ length: 4 }, () => nats.bucket<number>('mooring_memory_race', { memory })),
    );
    const claims = await Promise.allSettled(buckets.map((bucket, n) => bucket.create('key', n)));
    expect(claims.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('lets the oldest entries go when it is full, and takes the new ones', async () => {
    const bucket = await nats.bucket<string>('mooring_memory_full', { memory });
    for (let n = 0; n < 40; n += 1) await bucket.put(`k${n}`, 'x'.repeat(4_000));
    expect(await bucket.get('k0')).toBeUndefined();
    expect((await bucket.get('k39'))?.value).toHaveLength(4_000);
    expect((await bucket.list()).size).toBeLessThanOrEqual(16);
  });

  it('forgets an entry after its time, so that the key can be created again', async () => {
    const bucket = await nats.bucket<number>('mooring_memory_short', { memory: { ...memory, ttlMs: 200 } });
    await bucket.create('key', 1);
    await expect
      .poll(
        () =>
          bucket.create('key', 2).then(
            () => 'created',
            () => 'there',
          ),
        { timeout: 5_000 },
      )
      .toBe('created');
  });

  it('is gone with the server; opening it anew makes it again', async () => {
    const bucket = await nats.bucket<number>('mooring_memory_gone', { memory });
    await bucket.put('key', 1);
    await restart(async () => undefined);
    await expect.poll(() => nats.connected(), { timeout: 15_000 }).toBe(true);
    await expect(bucket.put('key', 2)).rejects.toMatchObject({ code: 'unavailable' });
    const again = await nats.bucket<number>('mooring_memory_gone', { memory });
    expect(await again.get('key')).toBeUndefined();
    await again.put('key', 3);
    expect((await bucket.get('key'))?.value).toBe(3);
  });
});

describe('a lost NATS', () => {
  it('rejects as unavailable within the deadline, and watches and writes go on when it is back', async () => {
    const bucket = await nats.bucket<number>('mooring_lost');
    await bucket.put('before', 1);
    const seen = new Map<string, number>();
    const watch = await bucket.watch({}, (key, entry) => {
      if (entry === undefined) seen.delete(key);
      else seen.set(key, entry.value);
    });
    expect(seen).toEqual(new Map([['before', 1]]));
    await restart(async () => {
      await expect(bucket.put('during', 2)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(bucket.get('before')).rejects.toMatchObject({ reason: 'STATE_STORE_UNAVAILABLE' });
    });
    await expect.poll(() => bucket.put('after', 3).then(() => 'ok', String), { timeout: 15_000 }).toBe('ok');
    await bucket.delete('before');
    await expect.poll(() => [seen.get('after'), seen.has('before')], { timeout: 20_000 }).toEqual([3, false]);
    watch.stop();
  });
});

describe('streams and requests', () => {
  it('reads the newest records back in order', async () => {
    await nats.ensureStream('mooring_audit', { subjects: ['mooring.audit.>'], maxBytes: 1_000_000 });
    for (let n = 0; n < 5; n += 1) await nats.publish('mooring.audit.test', { n });
    const records = await nats.readStream('mooring_audit', { max: 3 });
    expect(records.map((record) => (record.value as { n: number }).n)).toEqual([2, 3, 4]);
  });

  it('collects what everybody answers', async () => {
    const stops = ['a', 'b'].map((name) => nats.respond('mooring.metrics.collect', () => name));
    const answers = await nats.collect('mooring.metrics.collect', { waitMs: 300, max: 10 });
    expect(answers.toSorted()).toEqual(['a', 'b']);
    for (const stop of stops) stop();
    expect(await nats.collect('mooring.metrics.collect', { waitMs: 100, max: 10 }).catch(() => [])).toEqual([]);
  });
});
