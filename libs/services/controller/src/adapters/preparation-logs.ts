import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { kvKey } from '@mooring/domain';
import { capLog } from '@mooring/runtime';
import type { PreparationLog } from '../ports.ts';
import { lastLines } from './log-files.ts';

const bytesMax = 2 ** 20;
const lineMax = 4_096;

/** One file a deployment below `folder`, at most twice `bytesMax` each. Losing a line never fails the work it tells of. */
export function createPreparationLogs(folder: string): PreparationLog {
  const fileOf = (endpoint: string, deployment: string): string => join(folder, `${kvKey(endpoint, deployment)}.log`);
  return {
    write: (endpoint, deployment, line) => {
      const file = fileOf(endpoint, deployment);
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        appendFileSync(file, `${new Date().toISOString()} ${line.slice(0, lineMax)}\n`, { mode: 0o600 });
        capLog(file, bytesMax);
      } catch {
        // A full disk shows where it matters.
      }
    },
    tail: (endpoint, deployment, lines) => {
      const found = lastLines(fileOf(endpoint, deployment), lines);
      return found.length === 0 ? '' : `${found.join('\n')}\n`;
    },
    forget: (endpoint, deployment) => {
      for (const suffix of ['', '.1']) rmSync(`${fileOf(endpoint, deployment)}${suffix}`, { force: true });
    },
  };
}
