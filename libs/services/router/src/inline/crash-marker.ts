import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Which models are in a process, in a file that outlives it: after a crash in native code nobody else can tell. Written in
 * one step before a model is loaded, so that there is no moment at which one is in the process and not in the file. It
 * belongs to the process that wrote it first last: one that finishes its calls beside its successor leaves it alone.
 */
export interface CrashMarker {
  write(digests: readonly string[]): void;
  /** What the process before this one left: empty when it left nothing. */
  read(): string[];
  /** The process ends as it should. */
  remove(): void;
}

export function createCrashMarker(file: string): CrashMarker {
  let taken = false;
  const lost = (): boolean => taken && owner(file) !== process.pid;
  return {
    write: (digests) => {
      if (lost()) return;
      taken = true;
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(`${file}.new`, JSON.stringify({ pid: process.pid, digests }), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
    read: () => {
      try {
        const { digests } = JSON.parse(readFileSync(file, 'utf8')) as { digests?: unknown };
        return Array.isArray(digests) ? digests.filter((digest) => typeof digest === 'string') : [];
      } catch {
        return [];
      }
    },
    remove: () => {
      if (!lost()) rmSync(file, { force: true });
    },
  };
}

function owner(file: string): unknown {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { pid?: unknown }).pid;
  } catch {
    // Removed by nobody else: it can be written again.
    return process.pid;
  }
}
