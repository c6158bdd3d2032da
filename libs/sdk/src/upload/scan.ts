import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, matchesGlob, relative, sep } from 'node:path';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import { readIgnoreRules } from './ignore-rules.ts';

export interface UploadFile {
  /** Absolute. */
  path: string;
  /** Relative to the folder, with `/`. */
  name: string;
  bytes: number;
}

/** What is to be uploaded: one file, or a folder's files in a fixed order. */
export interface UploadSet {
  /** Name that the file or folder keeps. */
  name: string;
  folder: boolean;
  files: UploadFile[];
  bytes: number;
  /** SHA-256 over every file's name and content, hexadecimal. */
  sha256: string;
}

export interface ScanOptions {
  signal?: AbortSignal | undefined;
  /** Of a folder's files only those whose names match: `**` any folders, `*` within a name. */
  glob?: string | undefined;
  /** More are refused; a model or code with that many is most often the wrong folder. */
  filesMax?: number | undefined;
}

const filesMaxDefault = 20_000;

/**
 * Lists and digests a file or a folder. Ignored files are left out. Throws PlatformError UPLOAD_REFUSED naming every
 * link that leads out of the folder and everything that is neither file nor folder.
 */
export async function scanUpload(path: string, options: ScanOptions = {}): Promise<UploadSet> {
  const { signal, glob } = options;
  const found = await stat(path);
  const name = basename(path);
  if (!found.isFile() && !found.isDirectory())
    throw refused(path, [{ path: name, problem: 'is a device, pipe or socket', expected: 'a file or a folder' }]);
  if (!found.isDirectory()) return digested(name, false, [{ path, name, bytes: found.size }], signal);
  const files = await listFolder(path, options);
  if (files.length === 0) {
    const problem = glob === undefined ? 'has no files that are not ignored' : `has no files that match ${glob}`;
    throw refused(path, [{ path: name, problem, expected: 'at least one file' }]);
  }
  return digested(name, true, files, signal);
}

async function listFolder(
  folder: string,
  { signal, glob, filesMax = filesMaxDefault }: ScanOptions,
): Promise<UploadFile[]> {
  const ignored = await readIgnoreRules(folder);
  const root = await realpath(folder);
  const files: UploadFile[] = [];
  const problems: FieldProblem[] = [];
  const folders = [''];
  for (let at = folders.shift(); at !== undefined; at = folders.shift()) {
    signal?.throwIfAborted();
    for (const entry of await readdir(join(folder, at), { withFileTypes: true })) {
      const name = join(at, entry.name).split(sep).join('/');
      if (ignored(name, entry.isDirectory())) continue;
      if (entry.isDirectory()) {
        folders.push(name);
        continue;
      }
      if (glob !== undefined && !matchesGlob(name, glob)) continue;
      const file = await fileOf(root, join(folder, name), name);
      if ('problem' in file) problems.push(file);
      else files.push(file);
      if (files.length > filesMax)
        throw refused(folder, [{ path: '(folder)', problem: `has more than ${filesMax} files` }]);
    }
  }
  if (problems.length > 0) throw refused(folder, problems);
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function fileOf(root: string, path: string, name: string): Promise<UploadFile | FieldProblem> {
  const target = await realpath(path).catch(() => undefined);
  if (target === undefined) return { path: name, problem: 'is a link to nothing', expected: 'a file' };
  const inside = relative(root, target);
  if (inside === '..' || inside.startsWith(`..${sep}`)) {
    return { path: name, problem: `is a link to ${target}, outside the folder`, expected: 'a file inside the folder' };
  }
  const found = await stat(target);
  if (found.isDirectory()) return { path: name, problem: 'is a link to a folder', expected: 'the folder itself' };
  if (!found.isFile()) return { path: name, problem: 'is neither a file nor a folder', expected: 'a file' };
  return { path, name, bytes: found.size };
}

function refused(path: string, problems: FieldProblem[]): PlatformError {
  return new PlatformError('invalid_argument', 'UPLOAD_REFUSED', `${path} cannot be uploaded as it is`, { problems });
}

async function digested(
  name: string,
  folder: boolean,
  files: UploadFile[],
  signal: AbortSignal | undefined,
): Promise<UploadSet> {
  const all = createHash('sha256');
  for (const file of files) all.update(`${file.name}\0${file.bytes}\0${await fileSha256(file.path, signal)}\n`);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { name, folder, files, bytes, sha256: all.digest('hex') };
}

async function fileSha256(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path, signal === undefined ? {} : { signal })) hash.update(part as Buffer);
  return hash.digest('hex');
}
