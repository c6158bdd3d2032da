import { expect, it } from 'vitest';
import { keyVerifier } from '@mooring/credentials';
import { createKeyGate } from './key-gate.ts';

const verifier = (key: string) => ({ ...keyVerifier(key, Buffer.from('salt')), sealed: '' });
const record = { endpoint: 'cars', primary: verifier('one'), secondary: verifier('two') };
const gate = createKeyGate({ get: (endpoint) => (endpoint === 'cars' ? record : undefined) });

it.each(['Bearer one', 'bearer two', 'Bearer  one '])('opens the endpoint to `%s`', (authorization) => {
  expect(() => gate.check('cars', authorization)).not.toThrow();
});

it.each([
  { why: 'a wrong key', endpoint: 'cars', authorization: 'Bearer three', reason: 'KEY_INVALID' },
  { why: 'an endpoint without keys', endpoint: 'boats', authorization: 'Bearer one', reason: 'KEY_INVALID' },
  { why: 'no scheme', endpoint: 'cars', authorization: 'one', reason: 'KEY_MALFORMED' },
  {
    why: 'a key of endless length',
    endpoint: 'cars',
    authorization: `Bearer ${'one'.repeat(1_000)}`,
    reason: 'KEY_MALFORMED',
  },
])('refuses $why without repeating the key', ({ endpoint, authorization, reason }) => {
  try {
    gate.check(endpoint, authorization);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code: 'unauthenticated', reason });
    expect(String(error)).not.toContain('three');
  }
});
