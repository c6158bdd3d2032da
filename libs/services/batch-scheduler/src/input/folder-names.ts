import type { Dir, Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { SortedRun } from './sorted-run.ts';

export interface FolderName {
  name: string;
  kind: 'file' | 'folder' | 'link' | 'other' | 'not UTF-8';
}

export interface FolderNamesOptions {
  /** A folder that is written to where there are more names than are held; nothing stays in it. */
  scratch: string;
  /** Names that are held at once. */
  namesMax: number;
  signal: AbortSignal;
}

/** Each is an open file. */
const runsMax = 64;
/** Stands behind a name, before its kind, and changes no order: no name holds it, and nothing is less. */
const mark = '\0';

/** For folderNames. Each unit of a name is one of its bytes, because only they tell what is no UTF-8. */
export function openFolder(path: string): Promise<Dir> {
  return opendir(path, { encoding: 'latin1', bufferSize: 256 });
}

/**
 * What is in a folder, in the order of UTF-16 units, which does not depend on the file system. Memory does not grow with the folder: names
 * are sorted in runs, which are put aside and merged. The folder is closed at the end. Rejects as the file system does, and when `signal` is aborted.
 */
export async function* folderNames(folder: Dir, options: FolderNamesOptions): AsyncGenerator<FolderName> {
  const { scratch, namesMax, signal } = options;
  const runs: SortedRun[] = [];
  try {
    let held: string[] = [];
    for await (const entry of folder) {
      if (held.length === namesMax) {
        signal.throwIfAborted();
        if (runs.length === runsMax) await mergeAll(runs, scratch);
        runs.push(await SortedRun.write(scratch, held.toSorted()));
        held = [];
      }
      held.push(markedOf(entry));
    }
    held.sort();
    if (runs.length === 0) {
      for (const marked of held) yield nameOf(marked);
      return;
    }
    runs.push(await SortedRun.write(scratch, held));
    held = [];
    for await (const marked of merged(runs)) yield nameOf(marked);
  } finally {
    for (const run of runs) await run.close();
  }
}

/** One run instead of many. */
async function mergeAll(runs: SortedRun[], scratch: string): Promise<void> {
  const all = await SortedRun.write(scratch, merged(runs));
  for (const run of runs.splice(0, runs.length, all)) await run.close();
}

async function* merged(runs: readonly SortedRun[]): AsyncGenerator<string> {
  for (;;) {
    let least: SortedRun | undefined;
    for (const run of runs) {
      if (run.head !== undefined && (least?.head === undefined || run.head < least.head)) least = run;
    }
    if (least?.head === undefined) return;
    yield least.head;
    await least.advance();
  }
}

function markedOf(entry: Dirent): string {
  const bytes = Buffer.from(entry.name, 'latin1');
  const name = bytes.toString('utf8');
  return `${name}${mark}${Buffer.from(name).equals(bytes) ? kindOf(entry) : 'not UTF-8'}`;
}

function kindOf(entry: Dirent): FolderName['kind'] {
  if (entry.isDirectory()) return 'folder';
  if (entry.isSymbolicLink()) return 'link';
  return entry.isFile() ? 'file' : 'other';
}

function nameOf(marked: string): FolderName {
  const at = marked.indexOf(mark);
  return { name: marked.slice(0, at), kind: marked.slice(at + 1) as FolderName['kind'] };
}
