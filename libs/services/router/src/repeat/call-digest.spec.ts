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
  const cars = { name: 'cars', createdAt: '2026-01-01T00:00:00.000Z' };
  const digest = keyDigest(cars, 'a');
  expect(keyDigest({ ...cars, name: 'car' }, 'sa')).not.toBe(digest);
  expect(keyDigest({ ...cars, createdAt: '2026-01-02T00:00:00.000Z' }, 'a')).not.toBe(digest);
  expect(digest).toMatch(/^[\w-]{43}$/);
});
