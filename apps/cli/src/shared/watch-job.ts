import { setTimeout as delay } from 'node:timers/promises';
import { PlatformError } from '@mooring/errors';
import type { Step } from '@mooring/sdk';
import { hasEnded, itemsText, type JobView } from './jobs.ts';

/** A restart takes seconds; beyond this the platform counts as gone. */
const unavailableMaxMs = 120_000;
const pollMs = 1_000;
/** Of a job that takes long, a line every few seconds says as much. */
const slowPollMs = 5_000;
const slowAfterMs = 5 * 60_000;
/** Where each step is a line of its own, a job that only goes on writes one this often. */
const quietMs = 30_000;

export interface WatchOptions {
  get: () => Promise<JobView>;
  onStep: (step: Step) => void;
  signal: AbortSignal;
  /** Each step is a line of its own, and not one line that is rewritten. */
  lines: boolean;
  now?: () => number;
  pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Follows a job until it has ended. Rejects with `cancelled` when the user stops; the job goes on. An outage of the platform shorter
 * than two minutes is waited for.
 */
export async function watchJob({
  get,
  onStep,
  signal,
  lines,
  now = Date.now,
  pause = pauseMs,
}: WatchOptions): Promise<JobView> {
  const startedAt = now();
  let reachedAt = startedAt;
  let toldAt = -Infinity;
  let told = '';
  for (;;) {
    const job = await get().catch((thrown: unknown) => {
      const error = PlatformError.from(thrown);
      const passing = error.code === 'unavailable' || error.code === 'deadline_exceeded';
      if (passing && now() - reachedAt < unavailableMaxMs) return undefined;
      throw thrown;
    });
    if (job !== undefined) {
      reachedAt = now();
      const { text, phase } = stepOf(job);
      if (!lines || phase !== told || now() - toldAt >= quietMs) {
        onStep({ step: text });
        toldAt = now();
        told = phase;
      }
      if (hasEnded(job)) return job;
    }
    await pause(now() - startedAt < slowAfterMs ? pollMs : slowPollMs, signal);
  }
}

/** What a job is doing, in a line; `phase` changes when something other than numbers does. */
export function stepOf(job: JobView): { text: string; phase: string } {
  const { status, listing, progress = {} } = job;
  const { queue_position: position, items_per_s: rate, eta_s: etaS, failed = 0, succeeded = 0 } = progress;
  if (status === 'Queued') {
    const text =
      position === undefined || position === 0
        ? 'Queued'
        : `Queued, ${position} ${position === 1 ? 'job' : 'jobs'} before it`;
    return { text, phase: text };
  }
  const items = itemsText(job);
  if (items === '') return { text: status, phase: status };
  const all = listing?.items ?? 0;
  const parts = [
    `${status}: ${items} ${listing?.item_kind === 'steps' ? 'steps' : 'items'}${all === 0 ? '' : ` (${Math.floor((100 * (succeeded + failed)) / all)} %)`}`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(rate === undefined ? [] : [`${rateText(rate)} a second`]),
    ...(etaS === undefined ? [] : [`${durationText(etaS)} left`]),
  ];
  return { text: parts.join(', '), phase: status };
}

function rateText(perS: number): string {
  return perS >= 10 ? String(Math.round(perS)) : String(Number(perS.toPrecision(2)));
}

/** `45 s`, `3 min 20 s`, `5 h 2 min`. */
export function durationText(s: number): string {
  const whole = Math.max(0, Math.round(s));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

async function pauseMs(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (thrown) {
    throw new PlatformError('cancelled', 'CANCELLED', 'No longer watching; the job goes on.', { cause: thrown });
  }
}
