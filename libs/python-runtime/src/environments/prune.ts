import { chmod, lstat, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '@mooring/runtime';
import { recordName } from './build-environment.ts';

/** Unfinished environments, `<digest>.<pid>.<start>.<n>` each. */
export const workName = '.work';
/** Downloads and built wheels. */
export const cacheName = '.cache';

/** Removes what builders that are gone left unfinished. */
export async function sweepWork(folder: string): Promise<void> {
  const work = join(folder, workName);
  for (const name of await namesIn(work)) {
    const [, pid = '0', startTicks = '0'] = name.split('.');
    if (!isAlive({ pid: Number(pid), startTicks: Number(startTicks) })) await removeTree(join(work, name));
  }
}

/**
 * Removes every environment that is not in `keep` and that nobody asked for in the last `unusedMs`, and the download cache
 * when one went. Environments that stay lose nothing: their files are links of their own.
 */
export async function pruneEnvironments(
  folder: string,
  keep: ReadonlySet<string>,
  unusedMs: number,
): Promise<string[]> {
  await sweepWork(folder);
  const removed: string[] = [];
  for (const name of await namesIn(folder)) {
    if (!/^[0-9a-f]{64}$/.test(name) || keep.has(name)) continue;
    if ((await lastUseMs(join(folder, name))) < Date.now() - unusedMs) removed.push(name);
  }
  for (const digest of removed) await removeTree(join(folder, digest));
  if (removed.length > 0) await removeTree(join(folder, cacheName));
  return removed;
}

/** Best effort: what a tool that still runs keeps adding to is removed the next time. */
export async function removeTree(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isDirectory()) await permit(path);
    await rm(path, { recursive: true, force: true, maxRetries: 2 });
  } catch {
    // It is not there, or the next sweep finds it.
  }
}

/** Only the folders: removing a file takes the permission of its folder. */
async function permit(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await permit(join(folder, entry.name));
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function lastUseMs(environment: string): Promise<number> {
  const record = await stat(join(environment, recordName)).catch(() => undefined);
  return record?.mtimeMs ?? 0;
}
