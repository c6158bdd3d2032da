import { statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from '@mooring/config';
import { tempDir } from '@mooring/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDataFolder } from './make-data-folder.ts';

let root: ReturnType<typeof tempDir>;
beforeEach(() => (root = tempDir()));
afterEach(() => root.remove());

describe('makeDataFolder', () => {
  it('makes what is missing, for the owner only, and takes what is there', async () => {
    const folder = dataFolder(join(root.path, 'a/b/c'));
    await makeDataFolder(folder);
    await makeDataFolder(folder);
    expect(statSync(folder.root).mode & 0o777).toBe(0o700);
    expect(statSync(folder.logs).isDirectory()).toBe(true);
  });

  it('refuses a file, what lies below one, and a link to nowhere', async () => {
    writeFileSync(join(root.path, 'file'), '');
    symlinkSync(join(root.path, 'nowhere/else'), join(root.path, 'link'));
    const tried = ['file', 'file/below', 'link'].map((name) => makeDataFolder(dataFolder(join(root.path, name))));
    await Promise.all(tried.map((one) => expect(one).rejects.toMatchObject({ reason: 'BAD_DATA_FOLDER' })));
  });

  it.runIf(process.platform === 'linux').each(['/proc/x', '/proc/x/y', '/proc', '/proc/self'])(
    'refuses %s at once, where no folder can be made',
    async (path) => {
      await expect(makeDataFolder(dataFolder(path))).rejects.toThrow(/cannot be a data folder.*--data/);
    },
  );
});
