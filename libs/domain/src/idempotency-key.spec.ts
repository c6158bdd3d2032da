import { expect, it } from 'vitest';
import { checkIdempotencyKey } from './idempotency-key.ts';

it.each(['a', '3f1c2b0e-7a52-4f0e-9f0e-1d2c3b4a5968', 'order 7', '"quoted"', 'x'.repeat(255)])('takes %s', (key) => {
  expect(checkIdempotencyKey(key, 'the header')).toBe(key);
});

it.each([
  ['', 'is empty'],
  ['   ', 'is empty'],
  ['x'.repeat(256), 'has 256 characters'],
  ['x'.repeat(100_000), 'has 100000 characters'],
  ['with\ttab', 'has others'],
  ['k\u00fcche', 'has others'],
])('refuses %j and says what is wrong with it', (key, why) => {
  expect(() => checkIdempotencyKey(key, 'the header')).toThrow(
    expect.objectContaining({ reason: 'IDEMPOTENCY_KEY_INVALID', message: expect.stringContaining(why) }),
  );
});
