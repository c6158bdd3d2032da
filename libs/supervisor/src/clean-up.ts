import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFolder } from '@mooring/config';
import { endProcess, isAlive, type ProcessIdentity } from '@mooring/runtime';
import { readRecord, removeRecord } from './data-folder.ts';

type Named = ProcessIdentity & { name: string };

const defaultGraceMs = 10_000;

/**
 * Ends what a supervisor that was killed left running: its processes in the order of a stop, the instances of models
 * that the control plane had started, NATS last. Resolves to what it ended. Does nothing while the supervisor lives.
 */
export async function cleanUp(folder: DataFolder, graceMs = defaultGraceMs): Promise<readonly Named[]> {
  const record = readRecord(folder);
  if (record === undefined || isAlive(record)) return [];
  const { children = [] } = record;
  const nats = children.filter(({ name }) => name === 'nats');
  const ended: Named[] = [];
  for (const child of children.toReversed()) {
    if (!nats.includes(child)) ended.push(...(await end([child], graceMs)));
  }
  // Read only now: the control process was free to start one until it ended.
  ended.push(...(await end(instancesIn(folder), graceMs)));
  ended.push(...(await end(nats, graceMs)));
  // A platform that started meanwhile has written its own.
  const now = readRecord(folder);
  if (now?.pid === record.pid && now.startTicks === record.startTicks) removeRecord(folder);
  return ended;
}

async function end(processes: readonly Named[], graceMs: number): Promise<readonly Named[]> {
  const living = processes.filter(isAlive);
  await Promise.all(living.map((one) => endProcess(one, graceMs)));
  const left = living.find(isAlive);
  if (left !== undefined) throw new Error(`${left.name} (process ${left.pid}) cannot be ended`);
  return living;
}

/** By the files from which the next controller would take them over. */
function instancesIn(folder: DataFolder): Named[] {
  return namesIn(folder.instances).flatMap((id) => {
    const { pid, startTicks, endpoint, deployment } = readInstance(join(folder.instances, id, 'instance.json'));
    if (!Number.isInteger(pid) || !Number.isInteger(startTicks)) return [];
    return [{ name: `${endpoint}/${deployment}`, pid: Number(pid), startTicks: Number(startTicks) }];
  });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readInstance(file: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8'))) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
