import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobStatus } from '@mooring/domain';
import { cpuSeconds } from '../processes/proc.ts';
import type { BatchGround } from '../../reliability/batch/ground.ts';

const jobMs = 1_800_000;
const lookMs = 50;

/** How long a job took, and what its processes held at most. */
export interface Measured {
  items: number;
  /** From the request to its end. */
  wholeS: number;
  /** While it was Running: between its first and its last mini-batch, with the start of its processes. */
  runningS: number;
  preparingS: number;
  finalizingS: number;
  processMib: number;
  /** Processor seconds of the job's processes, and of those of the platform meanwhile. */
  jobCpuS: number;
  platformCpuS: number;
}

/** Runs a job to its end and proves its output. Rejects unless all items succeeded. */
export async function measureJob(
  ground: BatchGround,
  deployment: string,
  name: string,
  input: string,
  signal: AbortSignal,
): Promise<Measured> {
  const since = new Map<JobStatus, number>();
  const from = performance.now();
  let processMib = 0;
  const jobCpu = new Map<number, number>();
  const services = ground.platform.processes().map(({ pid }) => pid);
  const servicesBeforeS = cpuSeconds(services);
  await ground.submit(deployment, name, input);
  for (;;) {
    const { status, error, progress, listing } = await ground.job(name);
    if (!since.has(status)) since.set(status, performance.now());
    for (const pid of ground.runners()) {
      processMib = Math.max(processMib, peakMib(pid));
      // 0 once it is gone.
      jobCpu.set(pid, Math.max(jobCpu.get(pid) ?? 0, cpuSeconds([pid])));
    }
    if (status === 'Completed') {
      const items = listing?.items ?? 0;
      const platformCpuS = cpuSeconds(services) - servicesBeforeS;
      if (progress.succeeded !== items)
        throw new Error(`job ${name}: ${progress.succeeded} of ${items} items succeeded`);
      const { ok, problems } = await ground.verify(name);
      if (!ok) throw new Error(`job ${name} is not as it should be: ${problems.join('; ')}`);
      const spent = (one: JobStatus, next: JobStatus): number =>
        ((since.get(next) ?? Number.NaN) - (since.get(one) ?? Number.NaN)) / 1_000;
      return {
        items,
        wholeS: ((since.get('Completed') ?? from) - from) / 1_000,
        preparingS: spent('Preparing', 'Running'),
        runningS: spent('Running', 'Finalizing'),
        finalizingS: spent('Finalizing', 'Completed'),
        processMib,
        jobCpuS: [...jobCpu.values()].reduce((sum, seconds) => sum + seconds, 0),
        platformCpuS,
      };
    }
    if (error !== undefined) throw new Error(`job ${name} ${status}: ${error.message}`);
    if (performance.now() - from > jobMs) throw new Error(`job ${name} is ${status} after ${jobMs / 1_000} s`);
    await delay(lookMs, undefined, { signal });
  }
}

/** The most memory that a process has held, as the system counts it; 0 when it has just ended. */
function peakMib(pid: number): number {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) / 1024;
  } catch {
    return 0;
  }
}
