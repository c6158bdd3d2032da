import { lstat, readdir } from 'node:fs/promises';
import { basename, join, matchesGlob } from 'node:path';
import type { InputFile } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { FoundInput } from './find-input.ts';

/** Deeper folders are a loop or a mistake. */
const depthMax = 64;

/**
 * The files of an input, in the order of their paths (UTF-16 units, folder by folder), which does not depend on the file system.
 * Of the names of one folder at a time memory is held. Links are never followed, because they could lead anywhere: they are listed
 * with a problem, as is all else that cannot be read.
 */
export async function* listFiles({ root, glob }: FoundInput, signal: AbortSignal): AsyncGenerator<InputFile> {
  const top = await lstat(root);
  if (top.isFile()) {
    yield fileOf(basename(root), root, top);
    return;
  }
  if (!top.isDirectory())
    throw new PlatformError('invalid_argument', 'INPUT_NOT_READABLE', 'the input is no file or folder');
  yield* walk(root, '', glob, 0, signal);
}

async function* walk(
  root: string,
  below: string,
  glob: string | undefined,
  depth: number,
  signal: AbortSignal,
): AsyncGenerator<InputFile> {
  signal.throwIfAborted();
  if (depth > depthMax) {
    yield unreadable(below, `lies more than ${depthMax} folders deep`);
    return;
  }
  const entries = await readdir(join(root, below), { withFileTypes: true, encoding: 'buffer' });
  const named = entries.map((entry) => ({ entry, name: entry.name.toString('utf8') }));
  for (const { entry, name } of named.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = below === '' ? name : `${below}/${name}`;
    if (entry.isDirectory()) {
      yield* walk(root, path, glob, depth + 1, signal);
      continue;
    }
    if (glob !== undefined && !matchesGlob(path, glob)) continue;
    const problem = problemOf(entry, name);
    if (problem !== undefined) {
      yield unreadable(path, problem);
      continue;
    }
    const localPath = join(root, path);
    yield fileOf(path, localPath, await lstat(localPath));
  }
}

function problemOf(
  entry: { name: Buffer; isFile(): boolean; isSymbolicLink(): boolean },
  name: string,
): string | undefined {
  if (entry.isSymbolicLink()) return 'is a link, which is not followed';
  if (!entry.isFile()) return 'is neither a file nor a folder';
  if (!Buffer.from(name, 'utf8').equals(entry.name)) return 'has a name that is not UTF-8';
  return undefined;
}

function fileOf(path: string, localPath: string, found: { size: number; mtimeMs: number }): InputFile {
  return { path, localPath, bytes: found.size, modifiedMs: Math.floor(found.mtimeMs) };
}

function unreadable(path: string, message: string): InputFile {
  return { path, localPath: '', bytes: 0, modifiedMs: 0, problem: { reason: 'FileUnreadable', message } };
}
