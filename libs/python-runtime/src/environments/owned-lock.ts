import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isAlive, type ProcessIdentity } from '@mooring/runtime';

const pollMs = 100;
let attempts = 0;

export interface LockOptions {
  signal: AbortSignal;
  /** Called once when another process holds the lock. */
  onWait(owner: ProcessIdentity): void;
  /** Looked at while waiting; true = the lock is not needed any more. */
  done(): boolean;
}

/**
 * Waits until no other living process holds the lock file `path`, and takes it; resolves to a release, or to undefined when
 * `done()` became true instead. The lock of a process that is gone is taken over. Two takers at once are possible in
 * the instant of a take-over: the lock saves work, and what it guards must stand being done twice.
 */
export async function takeLock(path: string, options: LockOptions): Promise<(() => void) | undefined> {
  const self = identify(process.pid);
  if (self === undefined) throw new Error('this process cannot tell its own start time');
  let waited = false;
  for (;;) {
    if (options.done()) return undefined;
    if (tryTake(path, self)) return () => release(path, self);
    const owner = ownerOf(path);
    if (owner === undefined) continue; // it was released in between
    if (!isAlive(owner)) {
      setAside(path);
      continue;
    }
    if (!waited) options.onWait(owner);
    waited = true;
    await sleep(pollMs, undefined, { signal: options.signal });
  }
}

/** The lock appears with its content: a reader never sees it empty. */
function tryTake(path: string, self: ProcessIdentity): boolean {
  const own = ownName(path);
  writeFileSync(own, JSON.stringify(self), { mode: 0o600 });
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function ownerOf(path: string): ProcessIdentity | undefined {
  try {
    const { pid, startTicks } = JSON.parse(readFileSync(path, 'utf8')) as Partial<ProcessIdentity>;
    return { pid: Number(pid), startTicks: Number(startTicks) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { pid: 0, startTicks: 0 }; // not ours to understand, and nobody's
  }
}

function setAside(path: string): void {
  const aside = ownName(path);
  try {
    renameSync(path, aside);
  } catch {
    return; // another taker was faster
  }
  rmSync(aside, { force: true });
}

function release(path: string, self: ProcessIdentity): void {
  const owner = ownerOf(path);
  if (owner?.pid === self.pid && owner.startTicks === self.startTicks) rmSync(path, { force: true });
}

function ownName(path: string): string {
  attempts += 1;
  return `${path}.${process.pid}.${attempts}`;
}
