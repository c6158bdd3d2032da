import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  status,
  type ClientOptions,
  type ServiceError,
} from '@grpc/grpc-js';
import { HealthClient } from '@mooring/contracts/health';
import { createClient } from '@mooring/rpc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './testing/test-server.ts';

const same = (bytes: Buffer): Buffer => bytes;
let server: TestServer;
let client: Client;
const clients: Client[] = [];

function connect(address: string, options: ClientOptions = {}): Client {
  const made = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    ...options,
  });
  clients.push(made);
  return made;
}

interface Answer {
  error: ServiceError | null;
  value: Buffer | undefined;
  head: Metadata | undefined;
  trailers: Metadata | undefined;
}

function unary(
  method: string,
  body: Buffer | string,
  {
    via = client,
    metadata = new Metadata(),
    deadlineMs,
  }: { via?: Client; metadata?: Metadata; deadlineMs?: number } = {},
): Promise<Answer> & { cancel(): void } {
  let cancel = (): void => undefined;
  const answer = new Promise<Answer>((resolve) => {
    let head: Metadata | undefined;
    let trailers: Metadata | undefined;
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    const call = via.makeUnaryRequest(
      `/test.Echo/${method}`,
      same,
      same,
      Buffer.from(body),
      metadata,
      options,
      (error, value) =>
        // The status event comes after the callback.
        setImmediate(() => resolve({ error, value, head, trailers })),
    );
    call.on('metadata', (given: Metadata) => (head = given));
    call.on('status', (given: { metadata: Metadata }) => (trailers = given.metadata));
    cancel = () => call.cancel();
  });
  return Object.assign(answer, { cancel: () => cancel() });
}

beforeEach(async () => {
  server = await startTestServer();
  client = connect(server.address);
});

afterEach(async () => {
  for (const one of clients.splice(0)) one.close();
  await server.stop(AbortSignal.abort());
});

describe('a unary call', () => {
  it('brings its message, metadata and trailers back, binary ones too', async () => {
    const metadata = new Metadata();
    const printable = Array.from({ length: 95 }, (_, n) => String.fromCharCode(32 + n)).join('');
    metadata.add('echo', `x${printable}x`);
    metadata.add('echo-bin', Buffer.from(Array.from({ length: 256 }, (_, n) => n)));
    metadata.add('echo-bin', Buffer.from([]));
    for (let n = 0; n < 3; n += 1) {
      const { error, value, head, trailers } = await unary('Unary', 'hello', { metadata });
      expect(error).toBeNull();
      expect(value?.toString()).toBe('hello');
      for (const returned of [head, trailers]) {
        expect(returned?.get('echo')).toEqual(metadata.get('echo'));
        expect(returned?.get('echo-bin')).toEqual(metadata.get('echo-bin'));
      }
    }
  });

  it.each([0, 1, 16_379, 16_380, 70_000, 1_100_000, 20_000_000])('carries %d bytes both ways', async (size) => {
    const body = Buffer.alloc(size, 7);
    const { error, value } = await unary('Unary', body);
    expect(error).toBeNull();
    expect(value?.equals(body)).toBe(true);
  });

  it('answers a thousand at once, each its own', async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, n) => unary('Unary', `call ${n}`)));
    expect(answers.map(({ value }) => value?.toString())).toEqual(answers.map((_, n) => `call ${n}`));
  });

  it('tells the handler who called, whom, and until when', async () => {
    await unary('Unary', 'x', { deadlineMs: 5_000 });
    expect(server.seen.peer).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(server.seen.host).toBe(server.address);
    expect(server.seen.deadlineMs - Date.now()).toBeGreaterThan(3_000);
    expect(server.seen.deadlineMs - Date.now()).toBeLessThan(5_500);
    await unary('Unary', 'x');
    expect(server.seen.deadlineMs).toBe(Infinity);
  });

  it.each([
    ['5|gone', status.NOT_FOUND, 'gone'],
    ['3|grün & 100 %\nzweite', status.INVALID_ARGUMENT, 'grün & 100 %\nzweite'],
    ['16|', status.UNAUTHENTICATED, ''],
  ])('fails with the very status of its handler: %j', async (body, code, details) => {
    const metadata = new Metadata();
    metadata.set('echo-bin', Buffer.from([1, 2, 3]));
    const { error } = await unary('Fail', body, { metadata });
    expect(error).toMatchObject({ code, details });
    expect(error?.metadata.get('echo-bin')).toEqual([Buffer.from([1, 2, 3])]);
  });

  it('hides what a handler threw', async () => {
    const { error } = await unary('Fail', 'throw');
    expect(error?.code).toBe(status.INTERNAL);
    expect(error?.details).not.toContain('hunter2');
  });

  it('says unimplemented for a method that is not there', async () => {
    expect((await unary('Nothing', 'x')).error).toMatchObject({ code: status.UNIMPLEMENTED });
  });

  it('ends at its deadline, and the handler is told', async () => {
    const { error } = await unary('Wait', 'x', { deadlineMs: 50 });
    expect(error?.code).toBe(status.DEADLINE_EXCEEDED);
    await expect.poll(() => server.seen.cancelled).toBe(1);
  });

  it('that is cancelled tells the handler, and the connection goes on', async () => {
    const call = unary('Wait', 'x');
    await expect.poll(() => server.seen.release.length).toBe(1);
    call.cancel();
    expect((await call).error?.code).toBe(status.CANCELLED);
    await expect.poll(() => server.seen.cancelled).toBe(1);
    expect((await unary('Unary', 'y')).value?.toString()).toBe('y');
  });

  it('does not tell a handler whose call has ended that it was cancelled', async () => {
    const call = unary('Wait', 'x');
    await expect.poll(() => server.seen.release.length).toBe(1);
    server.seen.release[0]?.();
    expect((await call).value?.toString()).toBe('x');
    expect(server.seen.cancelled).toBe(0);
  });
});

describe('compression and size', () => {
  it.each([compressionAlgorithms.gzip, compressionAlgorithms.deflate])(
    'takes compressed messages (%d)',
    async (algorithm) => {
      const via = connect(server.address, { 'grpc.default_compression_algorithm': algorithm });
      const body = Buffer.alloc(300_000, 'abc');
      const { error, value } = await unary('Unary', body, { via });
      expect(error).toBeNull();
      expect(value?.equals(body)).toBe(true);
    },
  );

  it('refuses what is too large either way, and the connection goes on', async () => {
    const small = await startTestServer({ receiveMaxBytes: 1_000, sendMaxBytes: 2_000 });
    const via = connect(small.address);
    const zipped = connect(small.address, { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip });
    expect((await unary('Unary', Buffer.alloc(1_000), { via })).error).toBeNull();
    expect((await unary('Unary', Buffer.alloc(1_001), { via })).error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await unary('Unary', Buffer.alloc(5_000_000), { via })).error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await unary('Unary', Buffer.alloc(100_000), { via: zipped })).error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await unary('Large', '2000', { via })).error).toBeNull();
    expect((await unary('Large', '2001', { via })).error?.code).toBe(status.RESOURCE_EXHAUSTED);
    await small.stop(AbortSignal.timeout(2_000));
  });

  it('refuses metadata above the limit', async () => {
    const metadata = new Metadata();
    metadata.set('large', 'x'.repeat(20_000));
    expect((await unary('Unary', 'x', { metadata })).error?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect((await unary('Unary', 'x')).error).toBeNull();
  });
});

describe('a streaming call', () => {
  it('collects what a caller streams', async () => {
    const value = await new Promise<Buffer | undefined>((resolve, reject) => {
      const call = client.makeClientStreamRequest('/test.Echo/Collect', same, same, (error, answer) =>
        error ? reject(error) : resolve(answer),
      );
      for (let n = 0; n < 100; n += 1) call.write(Buffer.alloc(10_000, n));
      call.end();
    });
    expect(value).toHaveLength(1_000_000);
    expect(value?.[999_999]).toBe(99);
  });

  it('sends a stream, a slow reader slows it down', async () => {
    const call = client.makeServerStreamRequest('/test.Echo/Repeat', same, same, Buffer.from('300x50000'));
    let count = 0;
    let bytes = 0;
    for await (const message of call) {
      count += 1;
      bytes += (message as Buffer).length;
      if (count % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect([count, bytes]).toEqual([300, 15_000_000]);
  });

  it('talks both ways, with metadata before the first message and trailers after the last', async () => {
    const metadata = new Metadata();
    metadata.set('echo', 'yes');
    const call = client.makeBidiStreamRequest('/test.Echo/Chat', same, same, metadata);
    const head = await new Promise<Metadata>((resolve) => call.once('metadata', resolve));
    expect(head.get('echo')).toEqual(['yes']);
    const got: string[] = [];
    const ended = new Promise<{ code: number; metadata: Metadata }>((resolve) => call.once('status', resolve));
    call.on('data', (message: Buffer) => got.push(message.toString()));
    for (let n = 0; n < 500; n += 1) call.write(Buffer.from(String(n)));
    call.end();
    const { code, metadata: trailers } = await ended;
    expect(code).toBe(status.OK);
    expect(trailers.get('echo')).toEqual(['yes']);
    expect(got).toEqual(Array.from({ length: 500 }, (_, n) => String(n)));
  });

  it('that fails gives what was said before, then the status', async () => {
    const call = client.makeBidiStreamRequest('/test.Echo/Chat', same, same);
    const got: string[] = [];
    call.on('data', (message: Buffer) => got.push(message.toString()));
    const failed = new Promise<ServiceError>((resolve) => call.once('error', resolve));
    for (const message of ['a', 'b', 'fail']) call.write(Buffer.from(message));
    expect(await failed).toMatchObject({ code: status.ABORTED, details: 'as you wish' });
    expect(got).toEqual(['a', 'b']);
  });

  it('stops a caller whose messages nobody reads, and goes on when they are read', async () => {
    const call = client.makeBidiStreamRequest('/test.Echo/Hold', same, same);
    call.on('data', () => undefined);
    let taken = 0;
    const message = Buffer.alloc(10_000);
    const write = (): void => {
      if (taken < 1_000)
        call.write(message, () => {
          taken += 1;
          write();
        });
      else call.end();
    };
    write();
    await expect.poll(() => server.seen.holding.length).toBe(1);
    let before = -1;
    await expect
      .poll(
        () => {
          const still = taken === before;
          before = taken;
          return still && taken > 0;
        },
        { interval: 200 },
      )
      .toBe(true);
    // The stream's window of 1 MiB, what a handler's stream buffers, and what the client keeps.
    expect(taken).toBeLessThan(400);
    const ended = new Promise<{ code: number }>((resolve) => call.once('status', resolve));
    server.seen.holding[0]?.resume();
    expect((await ended).code).toBe(status.OK);
    expect(server.seen.held).toBe(1_000);
  });

  it('that is cancelled by its caller tells the handler', async () => {
    const call = client.makeServerStreamRequest('/test.Echo/Repeat', same, same, Buffer.from('100000x10000'));
    call.on('error', () => undefined);
    await new Promise((resolve) => call.once('data', resolve));
    call.cancel();
    await expect.poll(() => server.seen.cancelled).toBe(1);
  });

  it('that nobody reads ends at its deadline', async () => {
    const options = { deadline: Date.now() + 300 };
    const call = client.makeServerStreamRequest('/test.Echo/Repeat', same, same, Buffer.from('100000x10000'), options);
    call.on('error', () => undefined);
    call.pause();
    await expect.poll(() => server.seen.cancelled, { timeout: 3_000 }).toBe(1);
    call.cancel();
  });

  it('does not hold up small calls on the same connection while it is large', async () => {
    const call = client.makeServerStreamRequest('/test.Echo/Repeat', same, same, Buffer.from('20x4000000'));
    let last = 0;
    const done = new Promise((resolve) =>
      call.on('data', (message: Buffer) => (last = message[0] ?? 0)).once('end', resolve),
    );
    await new Promise((resolve) => call.once('data', resolve));
    const { value } = await unary('Unary', 'small');
    expect(value?.toString()).toBe('small');
    expect(last).toBeLessThan(19);
    await done;
  });
});

describe('a server', () => {
  it('answers health by readiness, and tells watchers when it stops', async () => {
    const health = createClient(HealthClient, server.address);
    expect((await health.call('check', { service: '' })).status).toBe(1);
    server.setReady(false);
    expect((await health.call('check', { service: 'test.Echo' })).status).toBe(2);
    health.close();
    server.setReady(true);
    const watcher = new HealthClient(server.address, credentials.createInsecure());
    const told: number[] = [];
    const watch = watcher.watch({ service: '' });
    watch.on('data', (answer: { status: number }) => told.push(answer.status));
    const ended = new Promise((resolve) => watch.once('end', resolve));
    await expect.poll(() => told).toEqual([1]);
    await server.stop(AbortSignal.timeout(5_000));
    await ended;
    expect(told).toEqual([1, 2]);
    watcher.close();
  });

  it('describes its services by reflection', async () => {
    const call = client.makeBidiStreamRequest('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', same, same);
    call.on('error', () => undefined);
    // list_services = 7: ''
    call.write(Buffer.from([0x3a, 0]));
    const answer = await new Promise<Buffer>((resolve) => call.once('data', resolve));
    expect(answer.toString('latin1')).toContain('grpc.health.v1.Health');
    call.end();
  });

  it('finishes open calls when it stops, and takes no new ones', async () => {
    const open = unary('Wait', 'kept');
    await expect.poll(() => server.seen.release.length).toBe(1);
    const stopped = server.stop(AbortSignal.timeout(10_000));
    const late = connect(server.address);
    await expect
      .poll(async () => (await unary('Unary', 'x', { via: late, deadlineMs: 300 })).error?.code)
      .toBe(status.UNAVAILABLE);
    server.seen.release[0]?.();
    expect((await open).value?.toString()).toBe('kept');
    await stopped;
    await expect.poll(() => server.connections()).toBe(0);
  });

  it('loses no call of a busy client when it drains', async () => {
    const results: (number | undefined)[] = [];
    const loop = async (): Promise<void> => {
      for (;;) {
        const { error } = await unary('Unary', 'x');
        if (error?.code === status.UNAVAILABLE && error.details.includes('ECONNREFUSED')) return;
        results.push(error?.code);
        if (results.length > 20_000) return;
      }
    };
    const loops = Array.from({ length: 8 }, loop);
    await expect.poll(() => results.length).toBeGreaterThan(500);
    await server.stop(AbortSignal.timeout(10_000));
    await Promise.all(loops);
    expect(results.filter((code) => code !== undefined)).toEqual([]);
  });

  it('breaks open calls when its deadline has passed', async () => {
    const open = unary('Wait', 'x');
    await expect.poll(() => server.seen.release.length).toBe(1);
    await server.stop(AbortSignal.abort());
    // As with grpc-js: the call's stream is reset.
    expect((await open).error?.code).toBe(status.CANCELLED);
    expect(server.seen.cancelled).toBe(1);
  });

  it('serves on a unix socket that only its owner may use', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'grpc-server-'));
    const local = await startTestServer({}, `unix:${folder}/a.sock`);
    expect(statSync(`${folder}/a.sock`).mode & 0o777).toBe(0o600);
    expect((await unary('Unary', 'x', { via: connect(local.address) })).value?.toString()).toBe('x');
    expect(local.seen.peer).toBe('unix:');
    await local.stop(AbortSignal.timeout(2_000));
    rmSync(folder, { recursive: true });
  });

  it('tells connections that are old to go, and clients follow without an error', async () => {
    const ageing = await startTestServer({ ageMaxMs: 300, ageGraceMs: 5_000 });
    const via = connect(ageing.address);
    const peers = new Set<string>();
    const end = Date.now() + 2_500;
    while (Date.now() < end) {
      expect((await unary('Unary', 'x', { via })).error).toBeNull();
      peers.add(ageing.seen.peer);
    }
    expect(peers.size).toBeGreaterThan(1);
    await ageing.stop(AbortSignal.timeout(2_000));
  });

  it('tells idle connections to go', async () => {
    const idle = await startTestServer({ idleMaxMs: 200 });
    expect((await unary('Unary', 'x', { via: connect(idle.address) })).error).toBeNull();
    expect(idle.connections()).toBe(1);
    await expect.poll(() => idle.connections(), { timeout: 5_000 }).toBe(0);
    await idle.stop(AbortSignal.timeout(2_000));
  });
});
