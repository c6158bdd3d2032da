import { expect, it } from 'vitest';
import { call } from '@mooring/scoring-stream/testing';
import { callDigest, keyDigest } from './call-digest.ts';

const base = call({ body: Buffer.from('{"data":[1]}'), contentType: 'application/json' });

it.each([
  { body: Buffer.from('{"data":[2]}') },
  { contentType: 'text/plain' },
  { query: 'a=1' },
  { method: 'GET' },
  { operation: 3 as const },
  { protocol: 2 as const },
  { modelName: 'x' },
  { modelVersion: 'x' },
  { inferenceHeaderLengthPlusOne: 5 },
])('tells calls apart by %j', (change) => {
  expect(callDigest({ ...base, ...change }, '')).not.toBe(callDigest(base, ''));
});

it('takes calls for the same that differ in who asks, when and with which headers', () => {
  const other = { requestId: 'r-2', deadlineMs: 5, traceparent: 't', headers: [{ name: 'a', value: 'b' }] };
  expect(callDigest({ ...base, ...other }, '')).toBe(callDigest(base, ''));
  expect(callDigest(base, 'luca')).not.toBe(callDigest(base, ''));
});

it('hashes a large body in pieces, so that timers go on meanwhile', async () => {
  const body = Buffer.alloc(64 * 2 ** 20, 7);
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 1);
  const digest = await callDigest(call({ body }), '');
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(5);
  body[body.length - 1] = 8;
  expect(await callDigest(call({ body }), '')).not.toBe(digest);
});

it('never takes the keys of two endpoints for one another', () => {
  expect(keyDigest('cars', 'a')).not.toBe(keyDigest('car', 'sa'));
  expect(keyDigest('cars', 'a')).toMatch(/^[\w-]{43}$/);
});
