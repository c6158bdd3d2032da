import { availableParallelism, totalmem } from 'node:os';
import type { Limits } from '../domain/instance-types.ts';

/** What this machine, or the container that we run in, has. */
export function machineLimits(): Limits {
  // 0 = not known, and a huge number where there is no limit.
  const constrained = process.constrainedMemory();
  const bytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return { cpu: availableParallelism(), memoryMib: Math.floor(bytes / 2 ** 20) };
}
