import { mergeLogs, type LogPart } from '../domain/log-tail.ts';
import { logFile, readInstanceFiles, type InstanceFile } from './instance-folder.ts';
import { lastLines } from './log-files.ts';

/** The end of the logs of a deployment's instances, the oldest first, each under a line that says whose it is. */
export function deploymentLogs(instances: string, endpoint: string, deployment: string, tail: number): string {
  const parts = instancesOf(instances, endpoint, deployment).map((file): LogPart => ({
    header: headerOf(file),
    lines: lastLines(logFile(instances, file.id), tail),
  }));
  return mergeLogs(parts, tail);
}

/** The files of a deployment's instances, running and ended, oldest first. */
export function instancesOf(instances: string, endpoint: string, deployment: string): InstanceFile[] {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return readInstanceFiles(instances)
    .filter((file) => same(file.endpoint, endpoint) && same(file.deployment, deployment))
    .toSorted((a, b) => a.startedAtMs - b.startedAtMs);
}

function headerOf(file: InstanceFile): string {
  const started = new Date(file.startedAtMs).toISOString();
  if (file.endedAtMs === undefined) return `==> instance ${file.id}, started ${started} <==`;
  const ended = new Date(file.endedAtMs).toISOString();
  const why = file.endReason === undefined ? '' : `: ${file.endReason}`;
  return `==> instance ${file.id}, started ${started}, ended ${ended}${why} <==`;
}
