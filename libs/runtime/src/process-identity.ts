import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process beyond doubt: its id may be given to another process later, its id and start time together never. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/<pid>/stat; elsewhere the start time in seconds. */
  startTicks: number;
}

/** The living process with this id, or undefined. A zombie counts as gone: nothing of it runs any more. */
export function identify(pid: number): ProcessIdentity | undefined {
  if (pid <= 0) return undefined;
  const startTicks = process.platform === 'linux' ? linuxStart(pid) : portableStart(pid);
  return startTicks === undefined ? undefined : { pid, startTicks };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTicks === identity.startTicks;
}

/** Ends the process (SIGTERM, after `graceMs` SIGKILL) if it is still the one that `identity` names. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  const pollMs = 20;
  const killAt = Date.now() + graceMs;
  signal(identity, graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
  while (isAlive(identity) && Date.now() < killAt) await sleep(pollMs);
  signal(identity, 'SIGKILL');
  const giveUpAt = Date.now() + 2_000;
  while (isAlive(identity) && Date.now() < giveUpAt) await sleep(pollMs);
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}

function linuxStart(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold spaces and brackets itself: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ended = fields[0] === 'Z' || fields[0] === 'X';
    return ended ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

function portableStart(pid: number): number | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 2_000 });
    const [state = '', ...started] = line.trim().split(/\s+/);
    const seconds = Date.parse(started.join(' ')) / 1_000;
    return state.startsWith('Z') || Number.isNaN(seconds) ? undefined : seconds;
  } catch {
    return undefined;
  }
}
