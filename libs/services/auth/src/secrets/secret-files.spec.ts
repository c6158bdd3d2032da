import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir, type TempDir } from '@mooring/testing';
import { loadAdminCheck } from './admin-token.ts';
import { loadMasterKey } from './master-key.ts';
import { readOrMakeSecretFile } from './secret-file.ts';

let folder: TempDir;
let ownFile: string;

beforeEach(() => {
  folder = tempDir();
  ownFile = join(folder.path, 'secrets', 'master.key');
});
afterEach(() => folder.remove());

describe('readOrMakeSecretFile', () => {
  it('makes the file once, private in a private folder, and leaves no drafts', () => {
    const first = readOrMakeSecretFile(ownFile, () => randomBytes(32));
    expect(readOrMakeSecretFile(ownFile, () => randomBytes(32))).toEqual(first);
    expect(statSync(ownFile).mode & 0o777).toBe(0o600);
    expect(statSync(join(ownFile, '..')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(ownFile, '..'))).toEqual(['master.key']);
  });

  it('takes the secret of the process that was faster', () => {
    const mine = readOrMakeSecretFile(ownFile, () => {
      readOrMakeSecretFile(ownFile, () => Buffer.from('theirs'));
      return Buffer.from('mine');
    });
    expect(mine.toString()).toBe('theirs');
  });

  it.each([0o640, 0o604, 0o620, 0o777])('refuses mode %o and says which chmod mends it', (mode) => {
    readOrMakeSecretFile(ownFile, () => randomBytes(32));
    chmodSync(ownFile, mode);
    expect(() => loadMasterKey({ ownFile })).toThrow(`run: chmod 600 '${ownFile}'`);
  });
});

describe('loadMasterKey', () => {
  it('makes 32 bytes at the first start and finds them at the next', () => {
    const key = loadMasterKey({ ownFile });
    expect(key).toHaveLength(32);
    expect(loadMasterKey({ ownFile })).toEqual(key);
    expect(readFileSync(ownFile)).toEqual(key);
  });

  it.each(['base64', 'base64url', 'hex'] as const)('takes a key as %s from the environment or a file', (encoding) => {
    const key = randomBytes(32);
    expect(loadMasterKey({ ownFile, masterKey: key.toString(encoding) })).toEqual(key);
    const masterKeyFile = join(folder.path, 'operator.key');
    writeFileSync(masterKeyFile, `${key.toString(encoding)}\n`, { mode: 0o600 });
    expect(loadMasterKey({ ownFile, masterKeyFile })).toEqual(key);
  });

  it('refuses a malformed key without repeating it, and a file that is not there', () => {
    expect(() => loadMasterKey({ ownFile, masterKey: 'correct horse' })).toThrow(/openssl rand -base64 32/);
    expect(() => loadMasterKey({ ownFile, masterKey: 'correct horse' })).not.toThrow(/correct horse/);
    expect(() => loadMasterKey({ ownFile, masterKeyFile: '/no/such.key' })).toThrow(
      '/no/such.key, which does not exist',
    );
  });
});

describe('loadAdminCheck', () => {
  it('makes a token that opens, and takes nothing else', () => {
    const file = join(folder.path, 'secrets', 'admin.token');
    const isAdmin = loadAdminCheck(file);
    const token = readFileSync(file, 'utf8').trim();
    expect(token).toMatch(/^[-_A-Za-z0-9]{43}$/);
    expect([token, `${token} `, token.slice(1), ''].map(isAdmin)).toEqual([true, false, false, false]);
  });

  it('refuses an empty token file, which would let anybody in', () => {
    const file = join(folder.path, 'admin.token');
    writeFileSync(file, '\n', { mode: 0o600 });
    expect(() => loadAdminCheck(file)).toThrow('fewer than 16 characters');
  });
});
