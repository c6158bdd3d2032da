import { randomBytes } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { failedReply, type CallHead, type ScoreReply } from '@mooring/scoring-stream';
import { bearer, echo, key, linesOf, startTestGateway, type TestGateway } from './testing/test-gateway.ts';
import { connectRaw } from './testing/raw-http.ts';

const bodyBytesMax = 100_000;
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({
    bodyBytesMax,
    bodyMemoryBytesMax: 250_000,
    headersTimeoutMs: 600,
    bodyIdleTimeoutMs: 300,
    bodyTimeoutMs: 1_000,
  });
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.calls.length = 0;
  gateway.lines.length = 0;
  gateway.answer = echo;
});

const head = (extra: string): string =>
  `POST /endpoints/cars/score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n${extra}\r\n`;
const score = (body: Buffer<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.url}/endpoints/cars/score`, { method: 'POST', body, headers: { ...bearer, ...headers } });

describe('a body over the cap', () => {
  it('takes exactly the cap', async () => {
    expect((await score(randomBytes(bodyBytesMax))).status).toBe(200);
  });

  it('is refused by its Content-Length before a byte is sent', async () => {
    const connection = await connectRaw(gateway.url);
    connection.send(head('Content-Length: 100001\r\n'));
    expect(await connection.until(/BODY_TOO_LARGE/)).toMatch(/^HTTP\/1\.1 413 /);
    connection.socket.destroy();
    expect(gateway.calls).toHaveLength(0);
  });

  it('is refused while it comes in chunks, and its sender sees the answer', async () => {
    const connection = await connectRaw(gateway.url);
    connection.send(head('Transfer-Encoding: chunked\r\n'));
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    for (let sent = 0; sent < 10; sent += 1) connection.send(chunk);
    expect(await connection.until(/BODY_TOO_LARGE/)).toMatch(/^HTTP\/1\.1 413 .*connection: close/is);
    connection.send('0\r\n\r\n');
    await connection.closed();
  });

  it('lets a client that waits for 100-continue know before it sends', async () => {
    const refused = await connectRaw(gateway.url);
    refused.send(head('Content-Length: 5000000\r\nExpect: 100-continue\r\n'));
    expect(await refused.until(/BODY_TOO_LARGE/)).toMatch(/^HTTP\/1\.1 413 /);
    await refused.closed();
    const welcome = await connectRaw(gateway.url);
    welcome.send(head('Content-Length: 2\r\nExpect: 100-continue\r\n'));
    expect(await welcome.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 100 Continue/);
    welcome.send('{}');
    expect(await welcome.until(/\{\}$/)).toMatch(/HTTP\/1\.1 200 OK/);
    welcome.socket.destroy();
  });

  it.each([
    { encoding: 'gzip', bomb: gzipSync(Buffer.alloc(50 * 2 ** 20)) },
    { encoding: 'deflate', bomb: deflateSync(Buffer.alloc(50 * 2 ** 20)) },
  ])('hidden in $encoding is 413', async ({ encoding, bomb }) => {
    expect(bomb.length).toBeLessThan(bodyBytesMax);
    const response = await score(bomb, { 'content-encoding': encoding });
    expect(response.status).toBe(413);
    expect(gateway.calls).toHaveLength(0);
  });
});

describe('a slow caller', () => {
  it('is answered 408 when its body stops coming', async () => {
    const connection = await connectRaw(gateway.url);
    connection.send(`${head('Content-Length: 100\r\n')}abc`);
    expect(await connection.until(/BODY_TIMEOUT/)).toMatch(/^HTTP\/1\.1 408 /);
    await connection.closed();
    expect((await linesOf(gateway, 1))[0]).toMatchObject({ status: 408, reason: 'BODY_TIMEOUT' });
  });

  it('is answered 408 when its body trickles beyond the whole time', async () => {
    const connection = await connectRaw(gateway.url);
    connection.send(head('Content-Length: 10000\r\n'));
    const trickle = setInterval(() => connection.send('x'), 50);
    try {
      expect(await connection.until(/BODY_TIMEOUT/)).toMatch(/^HTTP\/1\.1 408 /);
    } finally {
      clearInterval(trickle);
    }
    connection.socket.destroy();
  });

  it('is answered 504, with a time to try again, when its own deadline passes while it sends', async () => {
    const connection = await connectRaw(gateway.url);
    const from = performance.now();
    connection.send(`${head('Content-Length: 100\r\nX-Request-Timeout-Ms: 100\r\n')}abc`);
    expect(await connection.until(/DEADLINE_PASSED/)).toMatch(/^HTTP\/1\.1 504 [^]*retry-after: 1\r\n/i);
    expect(performance.now() - from).toBeLessThan(450);
    expect(gateway.calls).toHaveLength(0);
    connection.socket.destroy();
  });

  it('is answered 408 when its headers do not come to an end', async () => {
    const connection = await connectRaw(gateway.url);
    connection.send('POST /endpoints/cars/score HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    expect(await connection.until(/REQUEST_TIMEOUT/, 8_000)).toMatch(/^HTTP\/1\.1 408 /);
    await connection.closed();
  });

  it('does not hold up others', async () => {
    const slow = await Promise.all(Array.from({ length: 50 }, () => connectRaw(gateway.url)));
    for (const connection of slow) connection.send(`${head('Content-Length: 100\r\n')}a`);
    expect((await score(Buffer.from('{}'))).status).toBe(200);
    for (const connection of slow) connection.socket.destroy();
  });
});

describe('the memory of all bodies', () => {
  it('is bounded: beyond it a caller gets 503, and it is given back', async () => {
    const release: (() => void)[] = [];
    gateway.answer = (call) => new Promise((resolve) => release.push(() => resolve(echo(call))));
    const held = [score(randomBytes(99_000)), score(randomBytes(99_000))];
    while (release.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const refused = await score(randomBytes(99_000));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ error: { reason: 'BODY_MEMORY_FULL' } });
    for (const answer of release) answer();
    await Promise.all(held.map(async (response) => expect((await response).status).toBe(200)));
    gateway.answer = echo;
    await linesOf(gateway, 3);
    expect((await score(randomBytes(99_000))).status).toBe(200);
  });
});

describe('a body that need not be read', () => {
  const full = (): ScoreReply =>
    failedReply(new PlatformError('unavailable', 'DEADLINE_UNREACHABLE', 'no time', { retryAfterMs: 1_200 }), false);

  it('is refused when only its head is here, and the connection goes on', async () => {
    const heads: CallHead[] = [];
    gateway.refusal = (asked) => (heads.push(asked), full());
    const connection = await connectRaw(gateway.url);
    connection.send(
      `${head('Content-Length: 90000\r\nazureml-model-deployment: luca\r\nx-request-timeout-ms: 700\r\n')}{`,
    );
    const text = await connection.until(/DEADLINE_UNREACHABLE.*\}\}$/s);
    expect(text).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 2\r\n[^]*connection: keep-alive/);
    expect(heads).toMatchObject([{ endpoint: 'cars', deployment: 'luca', bodyBytes: 90_000, idempotencyKey: '' }]);
    expect(heads[0]?.deadlineMs).toBeGreaterThan(500);
    gateway.refusal = () => undefined;
    connection.send('x'.repeat(89_999) + head('Content-Length: 4\r\n') + 'next');
    await connection.until(/next$/);
    expect(gateway.gateway.bodyBytesHeld).toBe(0);
    expect((await linesOf(gateway, 2))[0]).toMatchObject({ status: 503, reason: 'DEADLINE_UNREACHABLE', bytesIn: 0 });
    connection.socket.destroy();
  });

  it('is read when nothing is known against it', async () => {
    gateway.refusal = () => undefined;
    expect((await score(randomBytes(99_000))).status).toBe(200);
  });

  it('is refused for its size first, since it will not do later either', async () => {
    gateway.refusal = full;
    const connection = await connectRaw(gateway.url);
    connection.send(`${head('Content-Length: 100001\r\n')}{`);
    expect(await connection.until(/BODY_TOO_LARGE/)).toMatch(/^HTTP\/1\.1 413 /);
    connection.socket.destroy();
    gateway.refusal = () => undefined;
  });
});

describe('one connection', () => {
  it('carries request after request, a refused one among them', async () => {
    const connection = await connectRaw(gateway.url);
    for (let n = 1; n <= 5; n += 1) {
      const text = n === 3 ? 'GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n' : `${head('Content-Length: 5\r\n')}body${n}`;
      connection.send(text);
      await connection.until(n === 3 ? /ROUTE_NOT_FOUND.*\}\}$/s : new RegExp(`body${n}$`));
    }
    expect(connection.text().match(/HTTP\/1\.1 200/g)).toHaveLength(4);
    connection.socket.destroy();
  });

  it('answers pipelined requests in their order', async () => {
    const connection = await connectRaw(gateway.url);
    let first: (() => void) | undefined;
    gateway.answer = (call) =>
      call.body.toString() === 'one' ? new Promise((resolve) => (first = () => resolve(echo(call)))) : echo(call);
    connection.send(`${head('Content-Length: 3\r\n')}one${head('Content-Length: 3\r\n')}two`);
    while (gateway.calls.length < 2) await new Promise((resolve) => setImmediate(resolve));
    first?.();
    const text = await connection.until(/two$/);
    expect(text.indexOf('one')).toBeGreaterThan(0);
    expect(text.indexOf('one')).toBeLessThan(text.lastIndexOf('two'));
    connection.socket.destroy();
  });
});
