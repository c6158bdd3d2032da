import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/**
 * A session of its own has a share of the processor of its own (autogroup), in which a process's priority counts among its own kind
 * only. A tenth of what others have: they are woken at once then (p90 of a wake-up on two full cores: 0.8 ms alone, 1.0 beside, 2.1 with
 * an equal share), and a mini-batch is not held up beyond its time by whatever else runs, as it would be at 19.
 */
const groupPriority = 10;

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
