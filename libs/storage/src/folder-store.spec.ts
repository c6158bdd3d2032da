import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolderStore, sha256Tree, type ArtifactStore, type ByteSource } from './index.ts';

let folder: string;
let root: string;
let store: ArtifactStore;
const maxBytes = 1 << 20;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mooring-storage-'));
  root = join(folder, 'artifacts');
  store = createFolderStore(root);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function* bytes(...chunks: string[]): ByteSource {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function text(container: string, path: string, range?: { start: number; end: number }): Promise<string> {
  const { content } = await store.get(container, path, range);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Every file below the root that belongs to no artifact. */
function leftovers(): string[] {
  return readdirSync(join(root, '.temporary'));
}

describe('the folder store', () => {
  it('gives back what was put, whole and in part', async () => {
    const head = await store.put('models', 'fern/1/a.onnx', bytes('hello ', 'world'), { maxBytes });
    expect(head.bytes).toBe(11);
    expect(await text('models', 'fern/1/a.onnx')).toBe('hello world');
    expect(await text('models', 'fern/1/a.onnx', { start: 6, end: 8 })).toBe('wor');
    expect(readFileSync(await store.localPath('models', 'fern/1/a.onnx'), 'utf8')).toBe('hello world');
    expect(lstatSync(root).mode & 0o777).toBe(0o700);
  });

  it('keeps metadata beside the content, and drops it when the content is replaced', async () => {
    await store.put('models', 'a', bytes('1'), { maxBytes, metadata: { name: 'fern' } });
    await store.setMetadata('models', 'a', { upload_status: 'started' });
    expect((await store.head('models', 'a'))?.metadata).toEqual({ upload_status: 'started' });
    await store.put('models', 'a', bytes('2'), { maxBytes });
    expect((await store.head('models', 'a'))?.metadata).toEqual({});
  });

  it('changes the etag with the content', async () => {
    const first = await store.put('models', 'a', bytes('1'), { maxBytes });
    const second = await store.put('models', 'a', bytes('1'), { maxBytes });
    expect(second.etag).not.toBe(first.etag);
  });

  it('leaves the old content and no file behind when a write is too large, broken off or changed on the way', async () => {
    await store.put('models', 'a', bytes('old'), { maxBytes });
    const broken = (async function* cut(): ByteSource {
      yield Buffer.from('half');
      throw new Error('connection reset');
    })();
    await expect(store.put('models', 'a', bytes('12345'), { maxBytes: 4 })).rejects.toMatchObject({
      code: 'too_large',
    });
    await expect(store.put('models', 'a', broken, { maxBytes })).rejects.toThrow();
    const md5Base64 = createHash('md5').update('other').digest('base64');
    await expect(store.put('models', 'a', bytes('new'), { maxBytes, md5Base64 })).rejects.toMatchObject({
      reason: 'MD5_MISMATCH',
    });
    expect(await text('models', 'a')).toBe('old');
    expect(leftovers()).toEqual([]);
  });

  it('joins blocks in the order of the list and forgets them', async () => {
    await store.putBlock('models', 'big', 'AAA=', bytes('one'), { maxBytes });
    await store.putBlock('models', 'big', 'BBB=', bytes('two'), { maxBytes });
    await expect(store.commitBlocks('models', 'big', ['BBB=', 'CCC='], { maxBytes })).rejects.toMatchObject({
      reason: 'INVALID_BLOCK_LIST',
    });
    await store.commitBlocks('models', 'big', ['BBB=', 'AAA='], { maxBytes });
    expect(await text('models', 'big')).toBe('twoone');
    await expect(store.commitBlocks('models', 'big', ['AAA='], { maxBytes })).rejects.toMatchObject({
      reason: 'INVALID_BLOCK_LIST',
    });
    expect(leftovers()).toEqual([]);
  });

  it('lists in pages, by path, what begins with the prefix', async () => {
    const paths = ['a-b', 'a/1', 'a/2', 'a/b/3', 'b'];
    for (const path of paths.toReversed()) await store.put('models', path, bytes(path), { maxBytes });
    const seen: string[] = [];
    for (let after = '', more = true; more;) {
      const page = await store.list('models', { max: 2, after });
      expect(page.entries.length).toBeLessThanOrEqual(2);
      seen.push(...page.entries.map((entry) => entry.path));
      after = page.next ?? '';
      more = page.next !== undefined;
    }
    expect(seen).toEqual(paths);
    const below = await store.list('models', { prefix: 'a/', max: 10 });
    expect(below.entries.map((entry) => entry.path)).toEqual(['a/1', 'a/2', 'a/b/3']);
    expect(await store.list('nothing', { max: 10 })).toEqual({ entries: [] });
  });

  it('says what is both a file and a folder instead of losing one', async () => {
    await store.put('models', 'a/b', bytes('1'), { maxBytes });
    await expect(store.put('models', 'a', bytes('2'), { maxBytes })).rejects.toMatchObject({
      reason: 'ARTIFACT_PATH_CONFLICT',
    });
    await expect(store.put('models', 'a/b/c', bytes('3'), { maxBytes })).rejects.toMatchObject({
      reason: 'ARTIFACT_PATH_CONFLICT',
    });
    expect(await text('models', 'a/b')).toBe('1');
    expect(await store.kindOf('models/a')).toBe('folder');
    expect(leftovers()).toEqual([]);
  });

  it.each([
    '',
    '/etc/passwd',
    '..',
    '../x',
    'a/../../x',
    'a/./b',
    'a//b',
    'a/',
    'a\0b',
    'a\\..\\b',
    'a\nb',
    'x'.repeat(256),
    'a/'.repeat(40) + 'b',
    '\ud800',
  ])('refuses the path %j', async (path) => {
    const refused = { code: 'invalid_argument' };
    await expect(store.put('models', path, bytes('x'), { maxBytes })).rejects.toMatchObject(refused);
    await expect(store.head('models', path)).rejects.toMatchObject(refused);
    await expect(store.localPath('models', path)).rejects.toMatchObject(refused);
    await expect(store.putBlock('models', path, 'AA==', bytes('x'), { maxBytes })).rejects.toMatchObject(refused);
  });

  it.each(['', '.', '..', '.metadata', 'a/b', 'A', 'a\0', '-a', 'x'.repeat(64)])(
    'refuses the container %j',
    async (container) => {
      await expect(store.put(container, 'a', bytes('x'), { maxBytes })).rejects.toMatchObject({
        code: 'invalid_argument',
      });
      await expect(store.list(container, { max: 1 })).rejects.toMatchObject({ code: 'invalid_argument' });
    },
  );

  it('follows no link, neither in the middle nor at the end', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'secret');
    mkdirSync(join(root, 'models'));
    symlinkSync(outside, join(root, 'models', 'link'));
    symlinkSync(join(outside, 'secret'), join(root, 'models', 'file'));
    await expect(store.put('models', 'link/new/x', bytes('x'), { maxBytes })).rejects.toMatchObject({
      reason: 'ARTIFACT_IS_LINK',
    });
    expect(readdirSync(outside)).toEqual(['secret']);
    for (const path of ['link/secret', 'file']) {
      expect(await store.head('models', path)).toBeUndefined();
      await expect(store.get('models', path)).rejects.toMatchObject({ code: 'not_found' });
      await expect(store.localPath('models', path)).rejects.toMatchObject({ code: 'not_found' });
    }
    expect(await store.list('models', { max: 10 })).toEqual({ entries: [] });
    // Writing over a link replaces the link and leaves what it led to alone.
    await store.put('models', 'file', bytes('mine'), { maxBytes });
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    await expect(sha256Tree(join(root, 'models'))).rejects.toMatchObject({ reason: 'ARTIFACT_IS_LINK' });
  });

  it.each([{ metadata: { 'a-b': '1' } }, { metadata: { A: '1' } }, { metadata: { a: 'x'.repeat(20_000) } }])(
    'refuses metadata that a header could not carry',
    async ({ metadata }) => {
      await store.put('models', 'a', bytes('1'), { maxBytes });
      await expect(store.setMetadata('models', 'a', metadata)).rejects.toMatchObject({ reason: 'INVALID_METADATA' });
    },
  );
});

describe('sha256Tree', () => {
  it('depends on names and contents and on nothing else', async () => {
    const tree = (name: string, files: Record<string, string>): string => {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(join(folder, name, path, '..'), { recursive: true });
        writeFileSync(join(folder, name, path), content);
      }
      return join(folder, name);
    };
    const first = await sha256Tree(tree('x', { 'a/b': '1', c: '2' }));
    expect(await sha256Tree(tree('y', { c: '2', 'a/b': '1' }))).toBe(first);
    expect(await sha256Tree(tree('z', { c: '1', 'a/b': '2' }))).not.toBe(first);
    expect(await sha256Tree(tree('w', { 'a/bc': '1', '2': '' }))).not.toBe(first);
  });
});
