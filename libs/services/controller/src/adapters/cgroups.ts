import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '../domain/instance-types.ts';

const periodUs = 100_000;
const mebibyte = 2 ** 20;

/** Kernel limits for the processes of one instance. */
export interface InstanceGroup {
  /** Files that the instance's first process writes its id into, before it becomes the scorer. */
  readonly joinFiles: readonly string[];
  /** How often the kernel ended one of its processes for going over the memory limit. */
  outOfMemoryKills(): number;
  /** Ids of the processes in it. */
  processes(): number[];
}

/** Limits by control groups: a folder per instance below one of our own. */
export interface GroupTree {
  /** Which limits the kernel enforces: words for the log. */
  readonly kind: string;
  /** True where memory is limited by the kernel, so that nobody else needs to watch it. */
  readonly limitsMemory: boolean;
  create(id: string, limits: Limits): InstanceGroup;
  /** The group of an instance that an earlier controller started. */
  open(id: string): InstanceGroup;
  /** Fails silently while a process is still in it: the next clean-up gets it. */
  remove(id: string): void;
  ids(): string[];
  /** Removes our own folders once no instance is left. */
  close(): void;
}

/** The groups that this machine lets us make, or undefined. `own` names our folder: one per data folder. */
export function openGroupTree(own: string, root = '/sys/fs/cgroup'): GroupTree | undefined {
  if (process.platform !== 'linux') return undefined;
  if (existsSync(join(root, 'cgroup.controllers'))) return openV2(join(root, own), root);
  const memory = usableFolder(join(root, 'memory'), own);
  const cpu = usableFolder(join(root, 'cpu'), own);
  if (memory === undefined && cpu === undefined) return undefined;
  return v1Tree(cpu, memory);
}

function usableFolder(hierarchy: string, own: string): string | undefined {
  try {
    accessSync(hierarchy, constants.W_OK);
    mkdirSync(join(hierarchy, own), { recursive: true });
    return join(hierarchy, own);
  } catch {
    return undefined;
  }
}

function v1Tree(cpu: string | undefined, memory: string | undefined): GroupTree {
  const parents = [cpu, memory].filter((folder) => folder !== undefined);
  const open = (id: string): InstanceGroup => ({
    joinFiles: parents.map((parent) => join(parent, id, 'cgroup.procs')),
    outOfMemoryKills: () =>
      memory === undefined ? 0 : readCounter(join(memory, id, 'memory.oom_control'), 'oom_kill'),
    processes: () => processesIn(join(parents[0] ?? '', id)),
  });
  return {
    kind: `cgroup v1 (${[cpu === undefined ? [] : 'cpu', memory === undefined ? [] : 'memory'].flat().join(', ')})`,
    limitsMemory: memory !== undefined,
    create: (id, limits) => {
      for (const parent of parents) mkdirSync(join(parent, id), { recursive: true });
      if (cpu !== undefined) {
        writeFileSync(join(cpu, id, 'cpu.cfs_period_us'), String(periodUs));
        writeFileSync(join(cpu, id, 'cpu.cfs_quota_us'), String(Math.round(limits.cpu * periodUs)));
      }
      if (memory !== undefined) {
        writeFileSync(join(memory, id, 'memory.limit_in_bytes'), String(Math.round(limits.memoryMib * mebibyte)));
      }
      return open(id);
    },
    open,
    remove: (id) => parents.forEach((parent) => removeFolder(join(parent, id))),
    ids: () => [...new Set(parents.flatMap(foldersIn))],
    close: () => parents.forEach(removeFolder),
  };
}

function openV2(folder: string, root: string): GroupTree | undefined {
  try {
    const enabled = readFileSync(join(root, 'cgroup.subtree_control'), 'utf8').split(/\s+/);
    if (!enabled.includes('memory') || !enabled.includes('cpu')) return undefined;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'cgroup.subtree_control'), '+cpu +memory');
  } catch {
    return undefined;
  }
  const open = (id: string): InstanceGroup => ({
    joinFiles: [join(folder, id, 'cgroup.procs')],
    outOfMemoryKills: () => readCounter(join(folder, id, 'memory.events'), 'oom_kill'),
    processes: () => processesIn(join(folder, id)),
  });
  return {
    kind: 'cgroup v2 (cpu, memory)',
    limitsMemory: true,
    create: (id, limits) => {
      mkdirSync(join(folder, id), { recursive: true });
      writeFileSync(join(folder, id, 'cpu.max'), `${Math.round(limits.cpu * periodUs)} ${periodUs}`);
      writeFileSync(join(folder, id, 'memory.max'), String(Math.round(limits.memoryMib * mebibyte)));
      return open(id);
    },
    open,
    remove: (id) => removeFolder(join(folder, id)),
    ids: () => foldersIn(folder),
    close: () => removeFolder(folder),
  };
}

/** `oom_kill 3` in a file of counters. */
function readCounter(file: string, name: string): number {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((one) => one.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  } catch {
    return 0;
  }
}

function processesIn(folder: string): number[] {
  try {
    return readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function foldersIn(parent: string): string[] {
  try {
    return readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

function removeFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Absent, or a process is still ending in it.
  }
}
