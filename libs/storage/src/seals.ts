import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '@mooring/errors';
import type { ArtifactHead } from './artifact-store.ts';
import { isAbsent, moveInto, openRegular, storageError, writeTemporary } from './files.ts';
import { sideName } from './safe-names.ts';

/** Below the root: one file for each sealed place. It holds the content's digest once that is known. */
export const sealsFolder = '.seals';
const sealBytesMax = 64;

function sealFile(root: string, place: readonly string[]): string {
  const [container = '', ...path] = place;
  return join(root, sealsFolder, sideName(container, path.join('/')));
}

/** Gives the digest that is in the seal already, if one is. */
export async function writeSeal(root: string, place: readonly string[]): Promise<string | undefined> {
  try {
    const file = await open(sealFile(root, place), 'wx', 0o600);
    await file.sync();
    await file.close();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw storageError(thrown, 'the seal');
  }
  return readSeal(root, place);
}

async function readSeal(root: string, place: readonly string[]): Promise<string | undefined> {
  const file = await openRegular(sealFile(root, place));
  const text = await file?.readFile('utf8').finally(() => file.close());
  return text === '' ? undefined : text;
}

/** The first digest that is recorded stays; gives back that one. */
export async function recordInSeal(
  root: string,
  place: readonly string[],
  digest: string,
  temporary: string,
): Promise<string> {
  const known = await readSeal(root, place);
  if (known !== undefined) return known;
  const source = (async function* once() {
    yield Buffer.from(digest);
  })();
  const { path } = await writeTemporary(temporary, source, sealBytesMax);
  await moveInto(path, sealFile(root, place));
  return digest;
}

/** True when the place or a folder that it lies in is sealed. */
export async function isSealed(root: string, place: readonly string[]): Promise<boolean> {
  const around = place.slice(1).map((_, index) => sealFile(root, place.slice(0, index + 2)));
  const found = await Promise.all(around.map(exists));
  return found.includes(true);
}

/** Azure's clients mark the end of an upload so; from then on others take the content for what its path says. */
export function isComplete(metadata: ArtifactHead['metadata']): boolean {
  return metadata['upload_status'] === 'completed';
}

export function immutable(what: string, why: string): PlatformError {
  return new PlatformError('already_exists', 'BLOB_IMMUTABLE', `${what} ${why}; upload to another path`);
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (thrown) {
    if (isAbsent(thrown)) return false;
    throw thrown;
  }
}
