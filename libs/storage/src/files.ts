import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PlatformError } from '@mooring/errors';
import type { ByteSource } from './artifact-store.ts';

/** True for the errors that mean: there is nothing at this path. */
export function isAbsent(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What the file system says as the error that callers act on. */
export function storageError(thrown: unknown, what: string): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  const code = (thrown as NodeJS.ErrnoException).code ?? '';
  if (['ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY'].includes(code)) {
    const message = `${what} is both a file and a folder; choose another path`;
    return new PlatformError('already_exists', 'ARTIFACT_PATH_CONFLICT', message, { cause: thrown });
  }
  if (['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'].includes(code)) {
    const message = 'the artifact store has no room left; free some space and try again';
    return new PlatformError('unavailable', 'STORAGE_FULL', message, { cause: thrown, retryAfterMs: 10_000 });
  }
  if (code === 'ELOOP') return linkRefused(what);
  return PlatformError.from(thrown);
}

export function linkRefused(what: string): PlatformError {
  return new PlatformError('permission_denied', 'ARTIFACT_IS_LINK', `${what} leads through a link, which is refused`);
}

/** Opens a regular file for reading, never through a link. Undefined when there is none. */
export async function openRegular(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    // Non-blocking, so that a pipe put there cannot hold the process.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    if (isAbsent(thrown)) return undefined;
    throw storageError(thrown, 'the artifact');
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

/** Makes the folders of `segments` below `root`, one by one, so that nothing is made behind a link. */
export async function makeFolder(root: string, segments: readonly string[]): Promise<string> {
  let folder = root;
  for (const segment of segments) {
    folder = join(folder, segment);
    await mkdir(folder, { mode: 0o700 }).catch((thrown: unknown) => {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    });
    const made = await lstat(folder);
    if (made.isSymbolicLink()) throw linkRefused(segments.join('/'));
    if (!made.isDirectory()) throw Object.assign(new Error('is a file'), { code: 'ENOTDIR' });
  }
  return folder;
}

/** True when `path` exists below `root` and no link is on the way. */
export async function isPlain(path: string): Promise<boolean> {
  try {
    return (await realpath(path)) === path;
  } catch (thrown) {
    if (isAbsent(thrown)) return false;
    throw thrown;
  }
}

export interface Written {
  bytes: number;
  md5Base64: string;
}

/** Writes a stream to a new file of its own and makes it durable; a failure leaves nothing behind. */
export async function writeTemporary(
  folder: string,
  source: ByteSource,
  maxBytes: number,
): Promise<Written & { path: string }> {
  const path = join(folder, randomUUID());
  const file = await open(path, 'wx', 0o600);
  const md5 = createHash('md5');
  let bytes = 0;
  try {
    for await (const chunk of source) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        throw new PlatformError('too_large', 'ARTIFACT_TOO_LARGE', `the content is larger than ${maxBytes} bytes`);
      }
      md5.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
    return { path, bytes, md5Base64: md5.digest('base64') };
  } catch (thrown) {
    await rm(path, { force: true });
    throw storageError(thrown, 'the artifact');
  } finally {
    await file.close();
  }
}

/** Puts a finished file in its place. The folder is synced, so that the name survives a loss of power too. */
export async function moveInto(temporary: string, target: string): Promise<void> {
  try {
    // rename() would silently replace an empty folder on some systems.
    const present = await lstat(target).catch(() => undefined);
    if (present?.isDirectory() === true) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    await rename(temporary, target);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw storageError(thrown, 'the artifact');
  }
  const folder = await open(dirname(target), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Names in a folder in the order of their UTF-16 units, folders last marked by `true`; links are passed over. */
export async function plainNames(folder: string): Promise<{ name: string; isFolder: boolean }[]> {
  const found = await readdir(folder, { withFileTypes: true });
  return found
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
}
