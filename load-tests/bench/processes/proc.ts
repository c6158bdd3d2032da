import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second whatever the kernel's own tick is. */
const ticksPerSecond = 100;
const pageKib = 4;

interface ProcessStat {
  parent: number;
  ticks: number;
  startTicks: number;
  rssPages: number;
}

/** Fields of /proc/<pid>/stat; the name in brackets may hold anything, so they are counted from behind it. */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const number = (index: number): number => Number(fields[index] ?? 0);
  return { parent: number(1), ticks: number(11) + number(12), startTicks: number(19), rssPages: number(21) };
}

function stat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The processes themselves and all that descend from them, now. */
export function withDescendants(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = stat(Number(name))?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = new Set<number>();
  const todo = [...roots];
  for (let pid = todo.pop(); pid !== undefined; pid = todo.pop()) {
    if (found.has(pid)) continue;
    found.add(pid);
    todo.push(...(children.get(pid) ?? []));
  }
  return [...found];
}

/** Processor seconds that the processes have used since they started. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (stat(pid)?.ticks ?? 0), 0) / ticksPerSecond;
}

export function rssMib(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ((stat(pid)?.rssPages ?? 0) * pageKib) / 1024, 0);
}

/** Processor seconds that the whole machine was busy; waiting for disks is not work. */
export function machineBusySeconds(text: string = readFileSync('/proc/stat', 'utf8')): number {
  const [user = 0, nice = 0, system = 0, , , ...interrupts] = (text.split('\n')[0] ?? '')
    .split(/\s+/)
    .slice(1, 8)
    .map(Number);
  return (user + nice + system + interrupts.reduce((sum, value) => sum + value, 0)) / ticksPerSecond;
}

/** Tells a process from a later one with the same number. */
export function startOf(pid: number): number | undefined {
  return stat(pid)?.startTicks;
}
