import { Dir, Stats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { InputFile } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { FoundInput } from './find-input.ts';
import { folderNames, openFolder, type FolderName, type FolderNamesOptions } from './folder-names.ts';
import { readGlob, type Glob } from './glob.ts';

/** Deeper folders are a loop or a mistake. */
const depthMax = 64;

/** Some MiB of names. */
const namesMax = 20_000;

export type ListOptions = Pick<FolderNamesOptions, 'scratch' | 'signal'> & Partial<FolderNamesOptions>;

/**
 * The files of an input, in the order of their paths (UTF-16 units, folder by folder), which does not depend on the file system, in
 * memory that does not grow with their number. Links are never followed, because they could lead anywhere: they are listed with a
 * problem, as is all else that cannot be read.
 */
export async function* listFiles({ root, glob }: FoundInput, options: ListOptions): AsyncGenerator<InputFile> {
  const top = await lstat(root);
  if (top.isFile()) {
    yield fileOf(basename(root), root, top);
    return;
  }
  if (!top.isDirectory())
    throw new PlatformError('invalid_argument', 'INPUT_NOT_READABLE', 'the input is no file or folder');
  const matches = glob === undefined ? undefined : readGlob(glob);
  yield* walk({ root, matches, options: { namesMax, ...options } }, '', 0);
}

interface Walk {
  root: string;
  matches: Glob | undefined;
  options: FolderNamesOptions;
}

async function* walk(within: Walk, below: string, depth: number): AsyncGenerator<InputFile> {
  const { root, matches, options } = within;
  if (depth > depthMax) {
    yield unreadable(below, `lies more than ${depthMax} folders deep`);
    return;
  }
  const folder = await lookedAt(openFolder(join(root, below)), below);
  if (!(folder instanceof Dir)) {
    if (folder !== undefined) yield folder;
    return;
  }
  for await (const { name, kind } of folderNames(folder, options)) {
    options.signal.throwIfAborted();
    const path = below === '' ? name : `${below}/${name}`;
    if (kind === 'folder') {
      yield* walk(within, path, depth + 1);
      continue;
    }
    if (matches?.(path) === false) continue;
    if (kind !== 'file') {
      yield unreadable(path, problems[kind]);
      continue;
    }
    const localPath = join(root, path);
    const file = await lookedAt(lstat(localPath), path);
    if (file !== undefined) yield file instanceof Stats ? fileOf(path, localPath, file) : file;
  }
}

/** Undefined for what went while the folder was read; what cannot be read is listed so. The input itself must be readable. */
async function lookedAt<T>(looking: Promise<T>, path: string): Promise<T | InputFile | undefined> {
  try {
    return await looking;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (path === '' || code === undefined) throw thrown;
    return code === 'ENOENT' ? undefined : unreadable(path, `cannot be read (${code})`);
  }
}

const problems: Readonly<Record<Exclude<FolderName['kind'], 'file' | 'folder'>, string>> = {
  link: 'is a link, which is not followed',
  other: 'is neither a file nor a folder',
  'not UTF-8': 'has a name that is not UTF-8',
};

function fileOf(path: string, localPath: string, found: { size: number; mtimeMs: number }): InputFile {
  return { path, localPath, bytes: found.size, modifiedMs: Math.floor(found.mtimeMs) };
}

function unreadable(path: string, message: string): InputFile {
  return { path, localPath: '', bytes: 0, modifiedMs: 0, problem: { reason: 'FileUnreadable', message } };
}
