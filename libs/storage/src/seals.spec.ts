import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolderStore, type ArtifactStore, type ByteSource } from './index.ts';

let root: string;
let store: ArtifactStore;
const options = { maxBytes: 1 << 20 };
const completed = { upload_status: 'completed' };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mooring-seals-'));
  store = createFolderStore(root);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function* bytes(content: string): ByteSource {
  yield Buffer.from(content);
}

async function text(path: string): Promise<string> {
  const { content } = await store.get('c', path);
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const put = (path: string, content: string) => store.put('c', path, bytes(content), options);
const refused = { code: 'already_exists', reason: 'BLOB_IMMUTABLE' };

describe('what is sealed', () => {
  it('keeps its content, also against parts and by another process, and leaves nothing behind', async () => {
    await put('m/a', 'one');
    await store.seal('c/m');
    await store.seal('c/m');
    await expect(createFolderStore(root).put('c', 'm/a', bytes('two'), options)).rejects.toMatchObject(refused);
    await store.putBlock('c', 'm/a', 'MDA=', bytes('two'), options);
    await expect(store.commitBlocks('c', 'm/a', ['MDA='], options)).rejects.toMatchObject(refused);
    expect(await text('m/a')).toBe('one');
    expect(readdirSync(join(root, '.temporary'))).toEqual([]);
  });

  it('gets no further files, while its neighbours do', async () => {
    await put('m/a', 'one');
    await store.seal('c/m');
    await expect(put('m/b', 'two')).rejects.toMatchObject(refused);
    await expect(put('m/deep/er/b', 'two')).rejects.toMatchObject(refused);
    await put('m2/b', 'two');
    expect(await text('m2/b')).toBe('two');
  });

  it('takes the same content again as a retry that changes nothing', async () => {
    const first = await put('m/a', 'one');
    await store.seal('c/m/a');
    expect(await put('m/a', 'one')).toEqual(first);
    await store.putBlock('c', 'm/a', 'MDA=', bytes('one'), options);
    expect(await store.commitBlocks('c', 'm/a', ['MDA='], options)).toEqual(first);
    expect(readdirSync(join(root, '.temporary'))).toEqual([]);
  });

  it('keeps the digest that was recorded first', async () => {
    const [first, second] = ['a'.repeat(64), 'b'.repeat(64)];
    await put('m/a', 'one');
    expect(await store.seal('c/m')).toBeUndefined();
    expect(await store.recordDigest('c/m', first)).toBe(first);
    expect(await createFolderStore(root).recordDigest('c/m', second)).toBe(first);
    expect(await store.seal('c/m')).toBe(first);
    await expect(put('m/a', 'two')).rejects.toMatchObject(refused);
  });
});

describe('what is marked as completely uploaded', () => {
  it('is written once, while a half-finished upload is written anew', async () => {
    await put('half', 'one');
    await put('half', 'two');
    await store.setMetadata('c', 'half', completed);
    await expect(put('half', 'three')).rejects.toMatchObject(refused);
    expect((await put('half', 'two')).metadata).toEqual(completed);
  });

  it('stays so, whatever else its metadata says', async () => {
    await put('a', 'one');
    await store.setMetadata('c', 'a', completed);
    await expect(store.setMetadata('c', 'a', {})).rejects.toMatchObject(refused);
    await store.setMetadata('c', 'a', { ...completed, version: '2' });
    expect((await store.head('c', 'a'))?.metadata).toEqual({ ...completed, version: '2' });
  });
});
