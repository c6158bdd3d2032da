import { describe, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import type { AuthPort } from '../ports.ts';
import { createAuthenticate } from './authenticate.ts';

/** Knows one token, counts questions. */
function countingAuth(): { auth: AuthPort; asked: string[] } {
  const asked: string[] = [];
  const authenticate = (token: string): Promise<string> => {
    asked.push(token);
    if (token === 'right') return Promise.resolve('admin');
    return Promise.reject(new PlatformError('unauthenticated', 'MANAGEMENT_TOKEN_INVALID', 'no'));
  };
  return { auth: { authenticate } as AuthPort, asked };
}

describe('bearer tokens', () => {
  it('are believed for a while after auth has confirmed them, then asked about again', async () => {
    const { auth, asked } = countingAuth();
    let now = 0;
    const authenticate = createAuthenticate(auth, 1_000, () => now);
    expect(await authenticate('Bearer right')).toBe('admin');
    now = 999;
    expect(await authenticate('bearer  right')).toBe('admin');
    expect(asked).toHaveLength(1);
    now = 1_000;
    await authenticate('Bearer right');
    expect(asked).toHaveLength(2);
  });

  it('that auth refuses are asked about each time', async () => {
    const { auth, asked } = countingAuth();
    const authenticate = createAuthenticate(auth, 1_000);
    for (let turn = 0; turn < 2; turn += 1) {
      await expect(authenticate('Bearer wrong')).rejects.toMatchObject({ reason: 'MANAGEMENT_TOKEN_INVALID' });
    }
    expect(asked).toHaveLength(2);
  });

  it.each([undefined, '', 'Basic x', 'Bearer', 'Bearer ', 'Bearer a b', `Bearer ${'x'.repeat(9_000)}`])(
    'are missing in %j, which auth is not asked about',
    async (header) => {
      const { auth, asked } = countingAuth();
      await expect(createAuthenticate(auth, 1_000)(header)).rejects.toMatchObject({
        reason: 'MANAGEMENT_TOKEN_MISSING',
      });
      expect(asked).toEqual([]);
    },
  );
});
