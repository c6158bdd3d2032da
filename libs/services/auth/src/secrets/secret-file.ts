import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';

/**
 * The bytes of a secrets file. Refuses one that the group or others may read or write, and says which chmod mends it.
 * Undefined when there is no such file.
 */
export function readSecretFile(path: string): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const mode = fstatSync(file).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      throw new Error(
        `${path} is open to others than its owner (mode ${mode.toString(8).padStart(4, '0')}); run: chmod 600 '${path}'`,
      );
    }
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** Reads the file, or makes it (0600, its folder 0700) with what `make` gives. Of two processes at once, one wins for both. */
export function readOrMakeSecretFile(path: string, make: () => Uint8Array): Buffer {
  const existing = readSecretFile(path);
  if (existing !== undefined) return existing;
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Written whole and synced under another name first: a crash in between never leaves an empty or short secret.
  const draft = join(folder, `.${randomUUID()}.draft`);
  try {
    writeSynced(draft, make());
    linkSync(draft, path);
    syncFolder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const stored = readSecretFile(path);
  if (stored === undefined) throw new Error(`${path} vanished while it was being made`);
  return stored;
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    fchmodSync(file, 0o600);
    writeSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
