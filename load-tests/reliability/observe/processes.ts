import { readdirSync, readFileSync } from 'node:fs';
import { rssMib, withDescendants } from '../../bench/processes/proc.ts';
import type { Platform } from '../platform.ts';

export interface ProcessState {
  /** As in supervisor.json; `scorer` and `python` for what serves models. */
  name: string;
  pid: number;
  rssMib: number;
  descriptors: number;
}

/** Every process of the platform that serves now; scorers are looked for by their sockets' owners, the instances. */
export async function processesOf(platform: Platform, endpoints: readonly string[]): Promise<ProcessState[]> {
  const named = platform.processes().map(({ name, pid }) => ({ name, pid }));
  for (const endpoint of endpoints) {
    for (const { pid } of await platform.instances(endpoint)) {
      for (const each of withDescendants([pid])) {
        named.push({ name: `${each === pid ? 'scorer' : 'python'} ${endpoint}`, pid: each });
      }
    }
  }
  return named.flatMap(({ name, pid }) => {
    const descriptors = descriptorsOf(pid);
    return descriptors === undefined ? [] : [{ name, pid, rssMib: rssMib([pid]), descriptors }];
  });
}

function descriptorsOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

/** Sum of the values of a metric's series that have all the given labels. */
export async function metric(
  platform: Platform,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<number> {
  const token = readFileSync(`${platform.data}/secrets/admin.token`, 'utf8').trim();
  const answer = await fetch(`${platform.management}/metrics`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return [...(await answer.text()).matchAll(/^(\w+)\{(.*)\} (\S+)$/gm)]
    .filter(([, series, own = '']) => series === name && wanted.every((label) => own.includes(label)))
    .reduce((total, [, , , value]) => total + Number(value), 0);
}
