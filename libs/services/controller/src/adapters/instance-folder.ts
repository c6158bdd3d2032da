import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstanceStatus } from '@mooring/domain';
import type { Limits } from '../domain/instance-types.ts';
import type { InstanceIdentity } from '../ports.ts';

/** `instance.json`: what a later controller must know to take the instance over, or to show its log. No secrets. */
export interface InstanceFile extends InstanceIdentity {
  pid: number;
  startTicks: number;
  startedAtMs: number;
  socketPath: string;
  limits: Limits;
  modelDigest?: string;
  /** Since when it has been ready; absent while it is not. */
  readyAtMs?: number;
  /** Set once it is gone. */
  endedAtMs?: number;
  /** Why it ended, for the header of its log. */
  endReason?: string;
}

export function instanceFolder(instances: string, id: string): string {
  return join(instances, id);
}

export function logFile(instances: string, id: string): string {
  return join(instances, id, 'log');
}

export function writeInstanceFile(instances: string, file: InstanceFile): void {
  const folder = instanceFolder(instances, file.id);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const target = join(folder, 'instance.json');
  writeFileSync(`${target}.new`, JSON.stringify(file), { mode: 0o600 });
  renameSync(`${target}.new`, target);
}

/** All instances that left a readable file; a folder without one is a start that a crash cut off. */
export function readInstanceFiles(instances: string): InstanceFile[] {
  return foldersIn(instances)
    .map((id) => readJson<InstanceFile>(join(instances, id, 'instance.json')))
    .filter((file) => file !== undefined);
}

export function readStatus(instances: string, id: string): InstanceStatus | undefined {
  return readJson<InstanceStatus>(join(instances, id, 'status.json'));
}

export function removeInstanceFolder(instances: string, id: string): void {
  rmSync(instanceFolder(instances, id), { recursive: true, force: true });
}

/** Names of folders that hold no instance file. */
export function halfMadeFolders(instances: string): string[] {
  return foldersIn(instances).filter((id) => readJson(join(instances, id, 'instance.json')) === undefined);
}

function foldersIn(instances: string): string[] {
  try {
    return (
      readdirSync(instances, { withFileTypes: true })
        // Folders that begin with a dot hold logs of other things.
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
        .map((entry) => entry.name)
    );
  } catch {
    return [];
  }
}

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
