import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectRaw } from './testing/raw-http.ts';
import { bearer, echo, key, startTestGateway, type TestGateway } from './testing/test-gateway.ts';

const mebibyte = 2 ** 20;
const bodyMemoryBytesMax = 96 * mebibyte;
/** Less than 100 KB each. */
const packed = (bytes: number): Buffer<ArrayBuffer> => Buffer.from(gzipSync(Buffer.alloc(bytes)));

let gateway: TestGateway;
let heldMost = 0;
let watch: NodeJS.Timeout;
beforeEach(async () => {
  gateway = await startTestGateway({ bodyBytesMax: 64 * mebibyte, bodyMemoryBytesMax });
  heldMost = 0;
  watch = setInterval(() => (heldMost = Math.max(heldMost, gateway.gateway.bodyBytesHeld)), 1);
});
afterEach(async () => {
  clearInterval(watch);
  await gateway.stop();
});

const score = (body: Buffer<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.url}/endpoints/cars/score`, {
    method: 'POST',
    body,
    headers: { ...bearer, 'content-encoding': 'gzip', ...headers },
  });

describe('many bodies at once that unpack to far more than they are', () => {
  it('are refused where they pass the cap, and never hold more than the memory of all bodies', async () => {
    const bomb = packed(80 * mebibyte);
    const answers = await Promise.all(Array.from({ length: 40 }, () => score(bomb)));
    for (const { status, headers } of answers) {
      expect([413, 503]).toContain(status);
      if (status === 503) expect(headers.get('retry-after')).toBe('1');
    }
    expect(heldMost).toBeGreaterThan(mebibyte);
    expect(heldMost).toBeLessThanOrEqual(bodyMemoryBytesMax);
    await expect.poll(() => gateway.gateway.bodyBytesHeld, { timeout: 20_000 }).toBe(0);
    expect(gateway.calls).toHaveLength(0);
  });

  it('are 503 beyond the memory of all bodies, and those that got in are answered', async () => {
    const release: (() => void)[] = [];
    gateway.answer = (call) =>
      new Promise((resolve) => release.push(() => resolve(echo({ ...call, body: Buffer.from('{}') }))));
    const body = packed(20 * mebibyte);
    const answers = Promise.all(Array.from({ length: 12 }, () => score(body)));
    const refused = (): number => gateway.lines.filter(({ status }) => status === 503).length;
    await expect.poll(() => release.length + refused(), { timeout: 20_000 }).toBe(12);
    expect(release.length).toBeLessThanOrEqual(4);
    for (const answer of release) answer();
    const statuses = (await answers).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(release.length);
    expect(statuses.filter((status) => status === 503)).toHaveLength(12 - release.length);
    expect(heldMost).toBeLessThanOrEqual(bodyMemoryBytesMax);
    await expect.poll(() => gateway.gateway.bodyBytesHeld, { timeout: 20_000 }).toBe(0);
  });

  it('are no longer unpacked when their callers leave', async () => {
    const body = packed(60 * mebibyte);
    const head = `POST /endpoints/cars/score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`;
    const callers = await Promise.all(Array.from({ length: 10 }, () => connectRaw(gateway.url)));
    for (const { socket } of callers) {
      socket.write(head);
      socket.write(body);
    }
    await expect
      .poll(() => gateway.gateway.bodyBytesHeld, { interval: 1, timeout: 20_000 })
      .toBeGreaterThan(4 * mebibyte);
    for (const { socket } of callers) socket.destroy();
    await expect.poll(() => gateway.gateway.bodyBytesHeld, { interval: 1, timeout: 20_000 }).toBe(0);
    expect(gateway.calls).toHaveLength(0);
    expect((await score(packed(1_000))).status).toBe(200);
  });

  it('wait for their turns no longer than their callers do', async () => {
    const flood = Array.from({ length: 12 }, () => score(packed(80 * mebibyte)));
    await expect.poll(() => gateway.gateway.bodyBytesHeld, { interval: 1, timeout: 20_000 }).toBeGreaterThan(mebibyte);
    expect((await score(packed(60 * mebibyte), { 'x-request-timeout-ms': '20' })).status).toBe(504);
    await Promise.all(flood);
    await expect.poll(() => gateway.gateway.bodyBytesHeld, { timeout: 20_000 }).toBe(0);
  });
});
