import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectRaw } from './testing/raw-http.ts';
import { key, startTestGateway, type TestGateway } from './testing/test-gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => void (gateway.calls.length = 0));

const mebibyte = 2 ** 20;
const head = `POST /endpoints/cars/score HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n`;

/** Large enough to be put into its place piece by piece, whose memory is then freed. */
it.each([
  ['with a length', 3 * mebibyte, 0],
  ['in one chunk', 3 * mebibyte, 3 * mebibyte],
  ['in large chunks', 5 * mebibyte, mebibyte],
  ['in chunks about as large as a read', 4 * mebibyte, 65_536],
  ['in small chunks', 2 * mebibyte, 1_000],
])('takes a large body that comes %s, and the next request behind it', async (_how, bytes, chunkBytes) => {
  const body = randomBytes(bytes);
  const connection = await connectRaw(gateway.url);
  if (chunkBytes === 0) {
    connection.send(`${head}Content-Length: ${bytes}\r\n\r\n`);
    connection.send(body);
  } else {
    connection.send(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    for (let at = 0; at < bytes; at += chunkBytes) {
      const chunk = body.subarray(at, at + chunkBytes);
      connection.send(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]));
    }
    connection.send('0\r\n\r\n');
  }
  connection.send(`${head}Content-Length: 9\r\n\r\nthe next!`);
  await connection.until(/the next!$/, 10_000);
  connection.socket.destroy();
  expect(gateway.calls.map((call) => [call.body.length, call.body.equals(body)])).toEqual([
    [bytes, true],
    [9, false],
  ]);
});
