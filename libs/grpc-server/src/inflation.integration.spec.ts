import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resetFrame } from './http2/frames.ts';
import { errorCode } from './http2/protocol.ts';
import { rawClient, rawData, rawMessage, type RawClient } from './testing/raw-client.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';

const mebibyte = 2 ** 20;
const heldMaxBytes = 64 * mebibyte;
const gzip = [['grpc-encoding', 'gzip']] as const;
/** Some 100 KB that become 100 MB: less than one message may have, more than the server holds of all. */
const bomb = rawMessage(gzipSync(Buffer.alloc(100 * mebibyte)), 1);
const packed = (bytes: number): Buffer => rawMessage(gzipSync(Buffer.alloc(bytes)), 1);

let server: TestServer;
let heldMost = 0;
let watch: NodeJS.Timeout;
const clients: RawClient[] = [];
const connect = async (): Promise<RawClient> => {
  const client = await rawClient(server.address);
  clients.push(client);
  return client;
};
/** A body in frames as large as they may be. */
const send = (client: RawClient, streamId: number, path: string, body: Buffer): void => {
  client.call(streamId, path, undefined, gzip);
  for (let at = 0; at < body.length; at += 16_384) {
    client.send(rawData(streamId, body.subarray(at, at + 16_384), at + 16_384 >= body.length));
  }
};

beforeEach(async () => {
  server = await startTestServer({ heldMaxBytes });
  heldMost = 0;
  watch = setInterval(() => (heldMost = Math.max(heldMost, server.heldBytes())), 1);
});

afterEach(async () => {
  clearInterval(watch);
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await server.stop(AbortSignal.abort());
});

describe('messages that unpack to far more than they are', () => {
  it('are refused as soon as the server would hold too much, and nothing stays held', async () => {
    const attackers = await Promise.all([1, 2, 3, 4].map(connect));
    const ids = Array.from({ length: 10 }, (_, n) => 1 + 2 * n);
    for (const id of ids) for (const attacker of attackers) send(attacker, id, '/test.Echo/Wait', bomb);
    const answers = await Promise.all(attackers.flatMap((attacker) => ids.map((id) => attacker.answer(id))));
    expect(answers.map(({ trailers }) => trailers['grpc-status'])).toEqual(answers.map(() => '8'));
    expect(heldMost).toBeGreaterThan(mebibyte);
    expect(heldMost).toBeLessThanOrEqual(heldMaxBytes);
    expect(server.heldBytes()).toBe(0);
    expect(server.seen.release).toHaveLength(0);
    const honest = await connect();
    send(honest, 1, '/test.Echo/Unary', packed(1_000));
    expect((await honest.answer(1)).trailers['grpc-status']).toBe('0');
  });

  it('count until their handlers have answered', async () => {
    const client = await connect();
    for (let n = 0; n < 10; n += 1) send(client, 1 + 2 * n, '/test.Echo/Wait', packed(10 * mebibyte));
    const refused = (): number => client.frames.filter(({ flags, type }) => type === 1 && (flags & 1) !== 0).length;
    await expect.poll(() => server.seen.release.length + refused(), { timeout: 20_000 }).toBe(10);
    // What is refused frees what it had grown to, so it is by chance whether fewer than six came through.
    expect(server.seen.release.length).toBeGreaterThan(1);
    expect(server.seen.release.length).toBeLessThanOrEqual(6);
    expect(server.heldBytes()).toBe(server.seen.release.length * 10 * mebibyte);
    for (const release of server.seen.release) release();
    expect(server.heldBytes()).toBe(0);
  });

  it('are no longer unpacked when their caller cancels or is gone', async () => {
    const [cancelling, leaving] = [await connect(), await connect()];
    for (let n = 0; n < 20; n += 1) {
      send(cancelling, 1 + 2 * n, '/test.Echo/Wait', packed(5 * mebibyte));
      send(leaving, 1 + 2 * n, '/test.Echo/Wait', packed(5 * mebibyte));
    }
    await expect.poll(() => server.heldBytes(), { interval: 1, timeout: 20_000 }).toBeGreaterThan(mebibyte);
    cancelling.send(...Array.from({ length: 20 }, (_, n) => resetFrame(1 + 2 * n, errorCode.cancel)));
    await leaving.close();
    await expect.poll(() => server.heldBytes(), { interval: 1, timeout: 20_000 }).toBe(0);
    const begun = server.seen.release.length;
    expect(begun).toBeLessThan(40);
    send(cancelling, 101, '/test.Echo/Unary', packed(1_000));
    expect((await cancelling.answer(101)).trailers['grpc-status']).toBe('0');
    expect(server.seen.release).toHaveLength(begun);
  });

  it('wait for their turns no longer than their deadlines', async () => {
    const client = await connect();
    for (let n = 0; n < 8; n += 1) send(client, 1 + 2 * n, '/test.Echo/Wait', bomb);
    client.call(101, '/test.Echo/Unary', packed(1_000), [...gzip, ['grpc-timeout', '1m']]);
    expect((await client.answer(101)).trailers['grpc-status']).toBe('4');
    await Promise.all(Array.from({ length: 8 }, (_, n) => client.answer(1 + 2 * n)));
    expect(server.heldBytes()).toBe(0);
  });

  it('cannot be two in a call that takes one', async () => {
    const client = await connect();
    send(client, 1, '/test.Echo/Unary', Buffer.concat([packed(mebibyte), packed(mebibyte)]));
    expect((await client.answer(1)).trailers['grpc-status']).toBe('12');
    expect(server.heldBytes()).toBe(0);
  });
});

describe('a stream of compressed messages', () => {
  /** Its handler takes one message and then looks no further: what comes is read ahead. */
  const takeOne = async (): Promise<void> => {
    await expect.poll(() => server.seen.holding.length, { timeout: 20_000 }).toBe(1);
    server.seen.holding[0]?.once('data', () => server.seen.holding[0]?.pause()).resume();
  };

  it('holds those that nobody takes out, and no more than the server may', async () => {
    const client = await connect();
    const parts = Array.from({ length: 12 }, () => packed(10 * mebibyte));
    send(client, 1, '/test.Echo/Hold', Buffer.concat(parts));
    await takeOne();
    expect((await client.answer(1)).trailers['grpc-status']).toBe('8');
    expect(heldMost).toBeLessThanOrEqual(heldMaxBytes);
    expect(server.heldBytes()).toBe(0);
  });

  it('holds nothing of those that were taken out, while it goes on', async () => {
    const client = await connect();
    const parts = Array.from({ length: 12 }, () => packed(10 * mebibyte));
    send(client, 1, '/test.Echo/Hold', Buffer.concat(parts.slice(0, 2)));
    await takeOne();
    await expect.poll(() => server.heldBytes(), { timeout: 20_000 }).toBe(10 * mebibyte);
    server.seen.holding[0]?.resume();
    await client.answer(1);
    expect(server.heldBytes()).toBe(0);
    client.call(3, '/test.Echo/Hold', undefined, gzip);
    await expect.poll(() => server.seen.holding.length, { timeout: 20_000 }).toBe(2);
    server.seen.holding[1]?.resume();
    const all = Buffer.concat(parts);
    for (let at = 0; at < all.length; at += 16_384) client.send(rawData(3, all.subarray(at, at + 16_384), false));
    await expect.poll(() => server.seen.held, { timeout: 20_000 }).toBe(14);
    expect(server.heldBytes()).toBe(0);
    expect(heldMost).toBeLessThanOrEqual(heldMaxBytes);
  });
});
