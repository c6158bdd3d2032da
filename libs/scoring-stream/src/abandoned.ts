import { Priority, type Abandoned } from '@mooring/contracts/scoring';
import type { ScoreReply } from './port.ts';

/** Who goes first: 0 = live calls. A priority that is not known is a live call's. */
export function rankOf(priority: number): 0 | 1 | 2 {
  if (priority === Priority.PRIORITY_BATCH) return 1;
  return priority === Priority.PRIORITY_MIRROR ? 2 : 0;
}

/** Counted by the instance itself when it gives such an answer. */
const gaveUp: ReadonlySet<string> = new Set(['cancelled', 'deadline_exceeded', 'scoring_timeout']);

/** Time of the model, microseconds, that went into one answer; of a shared run its rows' share. */
export function spentUs({ timing, batchRows, rows }: ScoreReply): number {
  if (timing === undefined) return 0;
  const { computeUs } = timing;
  return Math.round(batchRows > rows && rows > 0 ? (computeUs * rows) / batchRows : computeUs);
}

/** What an answer came to that nobody waited for any more; undefined when that is counted elsewhere, or was nothing. */
export function abandonedBy(late: ScoreReply): Abandoned | undefined {
  if (!late.started || gaveUp.has(late.errorCode)) return undefined;
  return { queued: 0, running: 1, wastedUs: spentUs(late) };
}

/** Sums up until somebody takes it. */
export class AbandonedSum {
  #sum: Abandoned = { queued: 0, running: 0, wastedUs: 0 };

  add({ queued, running, wastedUs }: Abandoned): void {
    this.#sum.queued += queued;
    this.#sum.running += running;
    // What does not fit into the field; nothing takes more than an hour.
    this.#sum.wastedUs = Math.min(this.#sum.wastedUs + Math.round(wastedUs), 2 ** 32 - 1);
  }

  take(): Abandoned | undefined {
    const sum = this.#sum;
    if (sum.queued === 0 && sum.running === 0) return undefined;
    this.#sum = { queued: 0, running: 0, wastedUs: 0 };
    return sum;
  }
}
