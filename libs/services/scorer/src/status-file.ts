import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstanceStatus } from '@mooring/domain';

/** Replaces `status.json` in one step: a reader sees the old one or the new one, never half of one. */
export function writeStatus(instanceDir: string, status: InstanceStatus): void {
  mkdirSync(instanceDir, { recursive: true, mode: 0o700 });
  const file = join(instanceDir, 'status.json');
  const next = `${file}.${process.pid}`;
  writeFileSync(next, JSON.stringify(status), { mode: 0o600 });
  renameSync(next, file);
}
