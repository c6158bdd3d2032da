import { describe, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import type { AuthPort } from './ports.ts';
import { createUploadGrants } from './upload-grants.ts';

/** Seals by Base64 with a mark; counts openings; `away` makes it unreachable. */
function simpleAuth() {
  const state = { opened: 0, away: false };
  const auth = {
    seal: (plain: string, purpose: string) => Promise.resolve(Buffer.from(`${purpose}|${plain}`).toString('base64url')),
    open: (sealed: string, purpose: string) => {
      state.opened += 1;
      if (state.away) return Promise.reject(new PlatformError('unavailable', 'AUTH_UNAVAILABLE', 'away'));
      const text = Buffer.from(sealed, 'base64url').toString();
      if (text.startsWith(`${purpose}|`)) return Promise.resolve(text.slice(purpose.length + 1));
      return Promise.reject(new PlatformError('invalid_argument', 'SEALED', 'not ours'));
    },
  } as unknown as AuthPort;
  return { auth, state };
}

describe('a signed upload address', () => {
  it('opens its container until it expires, and auth is asked once', async () => {
    const { auth, state } = simpleAuth();
    let now = 1_000;
    const grants = createUploadGrants(auth, 500, () => now);
    const query = Object.fromEntries(await grants.issue('blobs'));
    expect(query).toMatchObject({ sr: 'c', se: new Date(1_500).toISOString() });
    await grants.check(query, 'blobs');
    await grants.check(query, 'blobs');
    expect(state.opened).toBe(1);
    await expect(grants.check(query, 'other')).rejects.toMatchObject({ reason: 'UPLOAD_ELSEWHERE' });
    now = 1_500;
    await expect(grants.check(query, 'blobs')).rejects.toMatchObject({ reason: 'UPLOAD_EXPIRED' });
    await expect(grants.check(query, 'blobs')).rejects.toMatchObject({ reason: 'UPLOAD_EXPIRED' });
  });

  it('does not live longer by a changed date beside the signature', async () => {
    const { auth } = simpleAuth();
    let now = 0;
    const grants = createUploadGrants(auth, 500, () => now);
    const query = Object.fromEntries(await grants.issue('blobs'));
    now = 501;
    await expect(grants.check({ ...query, se: '2999-01-01T00:00:00Z' }, 'blobs')).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });

  it('is refused without a signature, with a false one, and with too long a one', async () => {
    const grants = createUploadGrants(simpleAuth().auth, 500);
    await expect(grants.check({}, 'blobs')).rejects.toMatchObject({ reason: 'UPLOAD_NOT_SIGNED' });
    await expect(grants.check({ sig: 'x' }, 'blobs')).rejects.toMatchObject({ reason: 'UPLOAD_SIGNATURE' });
    await expect(grants.check({ sig: ['a', 'b'] }, 'blobs')).rejects.toMatchObject({ reason: 'UPLOAD_NOT_SIGNED' });
    await expect(grants.check({ sig: 'x'.repeat(3_000) }, 'blobs')).rejects.toMatchObject({
      reason: 'UPLOAD_NOT_SIGNED',
    });
  });

  it('is not called false while auth is away', async () => {
    const { auth, state } = simpleAuth();
    const grants = createUploadGrants(auth, 500);
    const query = Object.fromEntries(await grants.issue('blobs'));
    state.away = true;
    await expect(grants.check(query, 'blobs')).rejects.toMatchObject({ code: 'unavailable' });
  });
});
