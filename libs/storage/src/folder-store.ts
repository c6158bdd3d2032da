import { mkdirSync, realpathSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '@mooring/errors';
import type { ArtifactHead, ArtifactStore, ByteSource, PutOptions } from './artifact-store.ts';
import { isAbsent, isPlain, makeFolder, moveInto, openRegular, storageError, writeTemporary } from './files.ts';
import { listPaths } from './list-folder.ts';
import { checkContainer, safeSegments, sideName } from './safe-names.ts';
import { immutable, isComplete, isSealed, recordInSeal, sealsFolder, writeSeal } from './seals.ts';
import { sha256Tree } from './sha256-tree.ts';

/** Below the root, beside the containers, whose names never begin with a dot. */
const temporary = '.temporary';
const blocks = '.blocks';
const metadataFolder = '.metadata';
const metadataBytesMax = 16 * 1024;
const blocksMax = 50_000;
const staleMs = 24 * 3_600_000;

/** The artifact store on a folder (made with mode 0700 when absent). Several processes may use the same one. */
export function createFolderStore(directory: string): ArtifactStore {
  for (const name of [temporary, blocks, metadataFolder, sealsFolder]) {
    mkdirSync(join(directory, name), { recursive: true, mode: 0o700 });
  }
  const root = realpathSync(directory);
  void removeStale(root);

  const placeOf = (container: string, path: string): { segments: string[]; file: string } => {
    const segments = [checkContainer(container), ...safeSegments(path)];
    return { segments, file: join(root, ...segments) };
  };
  const partsOf = (place: string): ReturnType<typeof placeOf> => {
    const [container = '', ...path] = place.split('/');
    return placeOf(container, path.join('/'));
  };
  const headOf = async (container: string, path: string): Promise<ArtifactHead | undefined> => {
    const { file } = placeOf(container, path);
    if (!(await isPlain(file))) return undefined;
    const found = await stat(file, { bigint: true });
    if (!found.isFile()) return undefined;
    return {
      bytes: Number(found.size),
      etag: `"0x${found.mtimeNs.toString(16)}${found.ino.toString(16)}"`,
      modifiedAt: new Date(Number(found.mtimeMs)),
      metadata: await readMetadata(root, sideName(container, path)),
    };
  };
  const finish = async (container: string, path: string, from: string, options: PutOptions): Promise<ArtifactHead> => {
    const { segments, file } = placeOf(container, path);
    try {
      const present = await headOf(container, path);
      if ((present !== undefined && isComplete(present.metadata)) || (await isSealed(root, segments))) {
        return await unchanged(present, { file, from, what: `${container}/${path}` });
      }
      await makeFolder(root, segments.slice(0, -1));
      await moveInto(from, file);
      await writeMetadata(root, sideName(container, path), options.metadata ?? {});
    } catch (thrown) {
      await rm(from, { force: true });
      throw storageError(thrown, `${container}/${path}`);
    }
    return required(await headOf(container, path), container, path);
  };

  return {
    head: headOf,
    put: async (container, path, source, options) => {
      placeOf(container, path);
      const from = await receive(root, source, options);
      return finish(container, path, from, options);
    },
    get: async (container, path, range) => {
      const head = required(await headOf(container, path), container, path);
      const file = required(await openRegular(placeOf(container, path).file), container, path);
      return { head, content: file.createReadStream(range) };
    },
    setMetadata: async (container, path, metadata) => {
      const head = required(await headOf(container, path), container, path);
      if (isComplete(head.metadata) && !isComplete(metadata)) {
        throw immutable(`${container}/${path}`, 'is marked as completely uploaded, which cannot be taken back');
      }
      await writeMetadata(root, sideName(container, path), metadata);
    },
    list: async (container, options) => {
      const paths = await listPaths(join(root, checkContainer(container)), { ...options, max: options.max + 1 });
      const page = paths.slice(0, options.max);
      const heads = await Promise.all(page.map((path) => headOf(container, path)));
      // One that vanished between the two looks is left out.
      const entries = page.flatMap((path, index) => {
        const head = heads[index];
        return head === undefined ? [] : [{ path, ...head }];
      });
      const next = page.at(-1);
      return paths.length > page.length && next !== undefined ? { entries, next } : { entries };
    },
    putBlock: async (container, path, blockId, source, options) => {
      placeOf(container, path);
      const from = await receive(root, source, options);
      const folder = await makeFolder(root, [blocks, sideName(container, path)]);
      if ((await readdir(folder)).length >= blocksMax) {
        await rm(from, { force: true });
        throw new PlatformError('too_large', 'TOO_MANY_BLOCKS', `an upload has at most ${blocksMax} blocks`);
      }
      await moveInto(from, join(folder, sideName('block', blockId)));
    },
    commitBlocks: async (container, path, blockIds, options) => {
      placeOf(container, path);
      const folder = join(root, blocks, sideName(container, path));
      const from = await receive(root, joined(folder, blockIds), options);
      const head = await finish(container, path, from, options);
      await rm(folder, { recursive: true, force: true });
      return head;
    },
    seal: async (place) => writeSeal(root, partsOf(place).segments),
    recordDigest: async (place, digest) => recordInSeal(root, partsOf(place).segments, digest, join(root, temporary)),
    kindOf: async (place) => {
      const { file } = partsOf(place);
      if (!(await isPlain(file))) return undefined;
      return (await stat(file)).isDirectory() ? 'folder' : 'file';
    },
    localPath: async (container, path) => {
      const { file } = placeOf(container, path);
      return required((await isPlain(file)) ? file : undefined, container, path);
    },
  };
}

/** The same content again, as retries send it, leaves everything as it is; any other is refused. */
async function unchanged(
  present: ArtifactHead | undefined,
  { file, from, what }: { file: string; from: string; what: string },
): Promise<ArtifactHead> {
  if (present === undefined) throw immutable(what, 'would be added to content that is registered');
  const same = (await stat(from)).size === present.bytes && (await sha256Tree(from)) === (await sha256Tree(file));
  if (!same) throw immutable(what, 'is registered or completely uploaded, and this content differs');
  await rm(from, { force: true });
  return present;
}

function required<T>(value: T | undefined, container: string, path: string): T {
  if (value !== undefined) return value;
  throw new PlatformError('not_found', 'ARTIFACT_NOT_FOUND', `there is nothing at ${container}/${path}`);
}

/** Takes a stream in and checks what was promised of it. */
async function receive(root: string, source: ByteSource, options: PutOptions): Promise<string> {
  const written = await writeTemporary(join(root, temporary), source, options.maxBytes);
  if (options.md5Base64 === undefined || options.md5Base64 === written.md5Base64) return written.path;
  await rm(written.path, { force: true });
  throw new PlatformError('invalid_argument', 'MD5_MISMATCH', 'the content was changed on the way: its MD5 differs');
}

async function* joined(folder: string, blockIds: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const blockId of blockIds) {
    const file = await openRegular(join(folder, sideName('block', blockId)));
    if (file === undefined) {
      throw new PlatformError('invalid_argument', 'INVALID_BLOCK_LIST', `block '${blockId.slice(0, 64)}' is not there`);
    }
    yield* file.createReadStream() as AsyncIterable<Uint8Array>;
  }
}

function metadataFile(root: string, name: string): string {
  return join(root, metadataFolder, `${name}.json`);
}

async function readMetadata(root: string, name: string): Promise<Record<string, string>> {
  const file = await openRegular(metadataFile(root, name));
  if (file === undefined) return {};
  try {
    return JSON.parse(await file.readFile('utf8')) as Record<string, string>;
  } finally {
    await file.close();
  }
}

async function writeMetadata(root: string, name: string, metadata: Readonly<Record<string, string>>): Promise<void> {
  const entries = Object.entries(metadata);
  const wellFormed = entries.every(([key, value]) => /^[a-z_][a-z0-9_]{0,127}$/.test(key) && typeof value === 'string');
  const text = JSON.stringify(Object.fromEntries(entries));
  if (!wellFormed || Buffer.byteLength(text) > metadataBytesMax) {
    throw new PlatformError(
      'invalid_argument',
      'INVALID_METADATA',
      `metadata has names of letters, digits and underscores and at most ${metadataBytesMax} bytes in all`,
    );
  }
  const target = metadataFile(root, name);
  if (entries.length === 0) return rm(target, { force: true });
  const source = (async function* once() {
    yield Buffer.from(text);
  })();
  const { path } = await writeTemporary(join(root, temporary), source, metadataBytesMax);
  await moveInto(path, target);
}

/** What uploads that were broken off left behind. */
async function removeStale(root: string): Promise<void> {
  for (const folder of [join(root, temporary), join(root, blocks)]) {
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      try {
        if (Date.now() - (await stat(path)).mtimeMs > staleMs) await rm(path, { recursive: true, force: true });
      } catch (thrown) {
        if (!isAbsent(thrown)) return;
      }
    }
  }
}
