import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EndpointCredentialsRecord } from '@mooring/domain';
import { keyVerifier, verifyKey } from './index.ts';

const primary = randomBytes(32).toString('base64url');
const secondary = randomBytes(32).toString('base64url');
const record: EndpointCredentialsRecord = {
  endpoint: 'cars',
  primary: { ...keyVerifier(primary, randomBytes(16)), sealed: '' },
  secondary: { ...keyVerifier(secondary, randomBytes(16)), sealed: '' },
};

describe('verifyKey', () => {
  it.each([
    { presented: primary, want: 'primary', why: 'the primary key' },
    { presented: secondary, want: 'secondary', why: 'the secondary key' },
    { presented: '', want: undefined, why: 'no key' },
    { presented: primary.slice(0, -1), want: undefined, why: 'a key cut short' },
    { presented: `${primary}A`, want: undefined, why: 'a key with more behind it' },
    { presented: primary.toLowerCase(), want: undefined, why: 'a key in another case' },
    { presented: record.primary.sha256Base64, want: undefined, why: 'the verifier itself' },
  ])('answers $want to $why', ({ presented, want }) => {
    expect(verifyKey(record, presented)).toBe(want);
  });

  it('takes nothing when the stored verifier is damaged', () => {
    const damaged = { ...record, primary: { ...record.primary, sha256Base64: '' } };
    expect(verifyKey(damaged, primary)).toBeUndefined();
    expect(verifyKey(damaged, secondary)).toBe('secondary');
  });
});

describe('keyVerifier', () => {
  it('hides equal keys behind different salts', () => {
    expect(keyVerifier(primary, randomBytes(16)).sha256Base64).not.toBe(record.primary.sha256Base64);
  });
});
