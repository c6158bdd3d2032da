import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { InputFile } from '@mooring/domain';
import { seeded, tempDir } from '@mooring/testing';
import { listFiles } from './list-files.ts';

const folder = tempDir('list-files-');
const root = join(folder.path, 'input');
const scratch = join(folder.path, 'scratch');
const never = new AbortController().signal;

beforeEach(() => {
  for (const path of [root, scratch]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
  }
});
afterAll(() => folder.remove());

function write(...paths: (string | Buffer)[]): void {
  for (const path of paths) writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path)]), '');
}

async function listed(glob?: string, namesMax = 3): Promise<InputFile[]> {
  const input = { root, ...(glob === undefined ? {} : { glob }) };
  return all(listFiles(input, { scratch, namesMax, signal: never }));
}

async function all(listing: AsyncIterable<InputFile>): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for await (const file of listing) files.push(file);
  return files;
}

const pathsOf = (files: readonly InputFile[]): string[] => files.map(({ path }) => path);

describe('the files of an input', () => {
  it('come in the order of their names, folder by folder, however few names are held at once', async () => {
    const random = seeded(11);
    const names = Array.from({ length: 200 }, () =>
      String.fromCodePoint(...Array.from({ length: 3 }, () => 0x20 + Math.floor(random() * 0x300))).replace(/\//g, '-'),
    );
    const odd = ['a', 'a b', 'a\nb', 'aa', 'Z', 'ünï', '😀', '\uffee', 'x'.repeat(255)];
    write(...names, ...odd);
    const wanted = [...new Set([...names, ...odd])].toSorted();
    for (const namesMax of [1, 7, 208, 209, 50_000]) expect(pathsOf(await listed(undefined, namesMax))).toEqual(wanted);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('are read through folders, and those that match a pattern alone', async () => {
    for (const path of ['b/deep', 'b.d', 'empty']) mkdirSync(join(root, path), { recursive: true });
    write('a.csv', 'c.csv', 'b/2.csv', 'b/10.csv', 'b/deep/x.csv', 'b/note.txt', 'b.d/y.csv');
    const tables = ['a.csv', 'b/10.csv', 'b/2.csv', 'b/deep/x.csv', 'b.d/y.csv', 'c.csv'];
    expect(pathsOf(await listed())).toEqual(tables.toSpliced(4, 0, 'b/note.txt'));
    expect(pathsOf(await listed('**/*.csv'))).toEqual(tables);
    expect(pathsOf(await listed('b/*.csv'))).toEqual(['b/10.csv', 'b/2.csv']);
  });

  it('that cannot be read are listed with what is wrong', async () => {
    write('good', Buffer.from([0x62, 0xff]), Buffer.from([0x62, 0xfe]));
    mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x64, 0xff])]));
    symlinkSync('good', join(root, 'link'));
    symlinkSync('/', join(root, 'a-link-to-everything'));
    const files = await listed();
    expect(files.map(({ path, problem }) => [path, problem?.reason, problem?.message])).toEqual([
      ['a-link-to-everything', 'FileUnreadable', 'is a link, which is not followed'],
      ['b\ufffd', 'FileUnreadable', 'has a name that is not UTF-8'],
      ['b\ufffd', 'FileUnreadable', 'has a name that is not UTF-8'],
      ['d\ufffd', 'FileUnreadable', 'has a name that is not UTF-8'],
      ['good', undefined, undefined],
      ['link', 'FileUnreadable', 'is a link, which is not followed'],
    ]);
  });

  it('that go while they are listed are not listed', async () => {
    write('a', 'b', 'c');
    const paths: string[] = [];
    for await (const { path } of listFiles({ root }, { scratch, signal: never })) {
      paths.push(path);
      rmSync(join(root, 'b'), { force: true });
    }
    expect(paths).toEqual(['a', 'c']);
  });

  it('are no longer looked for once nobody waits, and nothing is left of them', async () => {
    write('a', 'b', 'c', 'd', 'e', 'f', 'g');
    const cancel = new AbortController();
    const listing = listFiles({ root }, { scratch, namesMax: 2, signal: cancel.signal });
    expect((await listing.next()).value).toMatchObject({ path: 'a' });
    cancel.abort(new Error('nobody waits'));
    await expect(all(listing)).rejects.toThrow('nobody waits');
    expect(readdirSync(scratch)).toEqual([]);
  });
});
