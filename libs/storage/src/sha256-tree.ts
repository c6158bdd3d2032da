import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlatformError } from '@mooring/errors';
import { linkRefused } from './files.ts';

const filesMax = 100_000;

/**
 * SHA-256 over a file or folder on this machine: names relative to `path`, lengths and contents, in an order that does
 * not depend on the file system. A single file's own name does not count. Links reject with `permission_denied`.
 */
export async function sha256Tree(path: string, signal?: AbortSignal): Promise<string> {
  const files = await filesOf(path);
  const tree = createHash('sha256');
  for (const file of files.toSorted((a, b) => (a < b ? -1 : 1))) {
    signal?.throwIfAborted();
    const content = createHash('sha256');
    for await (const chunk of createReadStream(file === '' ? path : join(path, file))) {
      signal?.throwIfAborted();
      content.update(chunk as Buffer);
    }
    // The length before the name keeps two different trees from writing the same line.
    tree.update(`${Buffer.byteLength(file)}:${file}:${content.digest('hex')}\n`);
  }
  return tree.digest('hex');
}

async function filesOf(path: string): Promise<string[]> {
  const top = await lstat(path);
  if (top.isSymbolicLink()) throw linkRefused(path);
  if (top.isFile()) return [''];
  const files: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(join(path, folder), { withFileTypes: true })) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isSymbolicLink()) throw linkRefused(name);
      if (entry.isDirectory()) folders.push(name);
      else if (entry.isFile()) files.push(name);
      if (files.length + folders.length > filesMax) {
        throw new PlatformError('too_large', 'TREE_TOO_LARGE', `the folder holds more than ${filesMax} files`);
      }
    }
  }
  return files;
}
