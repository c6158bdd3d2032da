import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMooringSettings, type InstanceRecord, type InstanceSpec } from '@mooring/domain';
import { eventually } from '@mooring/testing';
import { instanceRecord } from './fake-instance.ts';

const main = fileURLToPath(new URL('../../../../../apps/scorer/src/main.ts', import.meta.url));

/** A real scorer in its own process. */
export interface ScorerProcess {
  record: InstanceRecord;
  /** Resident memory now, MiB. */
  residentMib(): number;
  stop(): Promise<void>;
}

/** Starts one below `folder` and waits until its model is ready. */
export async function startScorerProcess(
  folder: string,
  id: string,
  runtime: InstanceSpec['runtime'],
  maxConcurrentRequestsPerInstance: number,
): Promise<ScorerProcess> {
  const spec: InstanceSpec = {
    instanceId: id,
    endpoint: 'cars',
    deployment: 'martina',
    socketPath: join(folder, `${id}.sock`),
    instanceDir: join(folder, id),
    runtime,
    environmentVariables: {},
    requestSettings: { requestTimeoutMs: 5_000, maxConcurrentRequestsPerInstance, maxQueueWaitMs: 500 },
    settings: { ...readMooringSettings({}).settings, placement: 'process' },
    threads: 1,
    orphanTimeoutMs: 60_000,
  };
  const child = spawn(process.execPath, [main], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: process.env['PATH'] },
  });
  child.stdin?.end(JSON.stringify(spec));
  const exit = new Promise((resolve) => child.once('close', resolve));
  const statusFile = join(spec.instanceDir, 'status.json');
  try {
    await eventually(() => (JSON.parse(readFileSync(statusFile, 'utf8')) as { state: string }).state === 'ready', {
      timeoutMs: 30_000,
    });
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    record: { ...instanceRecord('martina', id), address: `unix:${spec.socketPath}` },
    residentMib: () => residentMib(child.pid ?? 0),
    stop: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

function residentMib(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
