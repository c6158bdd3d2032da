import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { reply } from '@mooring/scoring-stream';
import { bearer, startTestGateway, type TestGateway } from './testing/test-gateway.ts';

const mebibyte = 2 ** 20;
const body = randomBytes(20 * mebibyte);
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway({});
  gateway.answer = async (call) =>
    reply({ status: 200, contentType: 'text/plain', body: Buffer.from(digest(call.body)) });
});
afterAll(() => gateway.stop());

/** Sends `body` in parts of `partBytes`; resolves with what the model saw of it. */
function send(partBytes: number, headers: Readonly<Record<string, string | number>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const url = `${gateway.url}/endpoints/cars/score`;
    const call = request(url, { method: 'POST', headers: { ...bearer, ...headers } }, (answer) => {
      let text = '';
      answer.on('data', (part: Buffer) => (text += part.toString())).on('end', () => resolve(text));
    });
    call.on('error', reject);
    for (let at = 0; at < body.length; at += partBytes) call.write(body.subarray(at, at + partBytes));
    call.end();
  });
}

it.each([
  { how: 'in one piece, with its length', partBytes: body.length, headers: { 'content-length': body.length } },
  { how: 'in one chunk', partBytes: body.length, headers: {} },
  { how: 'in chunks as large as a read', partBytes: 65_536, headers: {} },
  { how: 'in chunks of some kilobytes', partBytes: 5_000, headers: {} },
])('a large body arrives unchanged that is sent $how', async ({ partBytes, headers }) => {
  const wanted = digest(body);
  const answers = await Promise.all([1, 2, 3].map(() => send(partBytes, headers)));
  expect(answers).toEqual([wanted, wanted, wanted]);
});
