import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EndpointCredentialsRecord } from '@mooring/domain';
import { keyVerifier, OpenedKeys } from './index.ts';

const newKey = (): string => randomBytes(32).toString('base64url');
const [primary, secondary] = [newKey(), newKey()];
const slot = (key: string) => ({ ...keyVerifier(key, randomBytes(16)), sealed: '' });
const record = (first: string, second: string): EndpointCredentialsRecord => {
  return { endpoint: 'cars', primary: slot(first), secondary: slot(second) };
};

describe('keys that opened a record', () => {
  it('open it again, both of them in any order; no other does, before or after', () => {
    const [keys, cars] = [new OpenedKeys(), record(primary, secondary)];
    const wrong = [newKey(), '', primary.slice(1), `${primary} `, '\0'.repeat(64), cars.primary.sha256Base64];
    for (let round = 0; round < 3; round += 1) {
      for (const key of wrong) expect(keys.opens(cars, key)).toBe(false);
      expect(keys.opens(cars, secondary)).toBe(true);
      expect(keys.opens(cars, primary)).toBe(true);
      expect(keys.opens(cars, secondary)).toBe(true);
    }
  });

  it('do not open what the record becomes, nor another one', () => {
    const [keys, fresh] = [new OpenedKeys(), newKey()];
    expect(keys.opens(record(primary, secondary), primary)).toBe(true);
    const renewed = record(fresh, secondary);
    expect(keys.opens(renewed, primary)).toBe(false);
    expect(keys.opens(renewed, fresh)).toBe(true);
    expect(keys.opens(renewed, secondary)).toBe(true);
    expect(keys.opens(renewed, primary)).toBe(false);
  });
});
