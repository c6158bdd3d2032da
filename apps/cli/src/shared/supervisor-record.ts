import { readFileSync } from 'node:fs';
import type { DataFolder } from '@mooring/config';

/** What the running platform says of itself in its run folder. */
export interface SupervisorRecord {
  pid: number;
  /** Field 22 of /proc/<pid>/stat: with the pid it names the process beyond doubt. 0 where there is no /proc. */
  startTicks: number;
  http: string;
  grpc: string;
  management: string;
}

/** Undefined when no platform was started, or the file is not one. */
export function readSupervisorRecord(folder: DataFolder): SupervisorRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(folder.supervisorFile, 'utf8')) as Partial<SupervisorRecord>;
    const { pid, startTicks = 0, http = '', grpc = '', management = '' } = record;
    if (!Number.isInteger(pid) || pid === undefined || pid <= 1) return undefined;
    return { pid, startTicks, http, grpc, management };
  } catch {
    return undefined;
  }
}

/** True while that very process lives; a pid that another process got since does not count. */
export function isRunning({ pid, startTicks }: Pick<SupervisorRecord, 'pid' | 'startTicks'>): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // Elsewhere the record counts in other units: the pid alone has to do.
  if (startTicks === 0 || process.platform !== 'linux') return true;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command, in parentheses, may hold spaces; fields count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] !== 'Z' && Number(fields[19]) === startTicks;
  } catch {
    return false;
  }
}
