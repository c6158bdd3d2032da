import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * A session of its own has a share of the processor of its own (autogroup), in which a process's priority counts among its own kind
 * only. A third of what others have: they are woken at once then (p90 of a wake-up, both cores full: 0.9 ms without a job, 1.8 beside
 * one at 5 or at 10, 2.7 beside one with an equal share), and a mini-batch is not held up beyond its time by whatever else runs.
 */
const groupPriority = 5;

/**
 * Whoever answers a caller comes before this process, for the processor and when memory runs out. Where something of it is not allowed, or
 * there are no such files, the process has its turn with all others.
 */
export function lastInLine(pid: number): void {
  const steps = [
    () => setPriority(pid, constants.priority.PRIORITY_LOW),
    () => writeFileSync(`/proc/${pid}/autogroup`, String(groupPriority)),
    () => writeFileSync(`/proc/${pid}/oom_score_adj`, '500'),
  ];
  for (const step of steps) {
    try {
      step();
    } catch {
      // Said above.
    }
  }
}
