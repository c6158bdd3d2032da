import { PlatformError } from '@mooring/errors';
import type { Step } from '@mooring/sdk';
import { describe, expect, it } from 'vitest';
import type { JobView } from './jobs.ts';
import { durationText, stepOf, watchJob } from './watch-job.ts';

const job = (status: string, progress: JobView['progress'] = {}, items?: number): JobView => ({
  name: 'night-1',
  status,
  progress,
  ...(items === undefined ? {} : { listing: { items } }),
});

describe('what a job is doing, in a line', () => {
  it.each([
    [job('Queued'), 'Queued'],
    [job('Queued', { queue_position: 0 }), 'Queued'],
    [job('Queued', { queue_position: 1 }), 'Queued, 1 job before it'],
    [job('Queued', { queue_position: 3 }), 'Queued, 3 jobs before it'],
    [job('Preparing'), 'Preparing'],
    [job('Running', {}, 200), 'Running: 0 of 200 items (0 %)'],
    [
      job('Running', { succeeded: 90, failed: 9, items_per_s: 12.34, eta_s: 200 }, 200),
      'Running: 99 of 200 items (49 %), 9 failed, 12 a second, 3 min 20 s left',
    ],
    [job('Running', { succeeded: 1, items_per_s: 0.0512 }, 2), 'Running: 1 of 2 items (50 %), 0.051 a second'],
    [job('Completed', { succeeded: 200 }, 200), 'Completed: 200 of 200 items (100 %)'],
    [job('Failed', {}, 0), 'Failed: 0 of 0 items'],
    [{ ...job('Running'), listing: { items: 2, item_kind: 'steps' } }, 'Running: 0 of 2 steps (0 %)'],
  ])('says of %j: %s', (given, text) => {
    expect(stepOf(given).text).toBe(text);
  });

  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [60, '1 min 0 s'],
    [3_700, '1 h 1 min'],
    [-1, '0 s'],
  ])('tells %d seconds as %s', (s, text) => {
    expect(durationText(s)).toBe(text);
  });
});

/** Watches a job that is `states` one after another, a second apart; a thrown one is an outage. */
async function watched(states: (JobView | PlatformError)[], options: { lines?: boolean; stopAtMs?: number } = {}) {
  let at = 0;
  let nowMs = 0;
  const cancel = new AbortController();
  const steps: Step[] = [];
  const ended = watchJob({
    get: async () => {
      const state = states[Math.min(at, states.length - 1)] ?? job('Failed');
      at += 1;
      if (state instanceof PlatformError) throw state;
      return state;
    },
    onStep: (step) => steps.push(step),
    signal: cancel.signal,
    lines: options.lines ?? false,
    now: () => nowMs,
    pause: async (ms) => {
      nowMs += ms;
      if (nowMs >= (options.stopAtMs ?? Infinity)) throw new PlatformError('cancelled', 'CANCELLED', 'stopped');
    },
  });
  return { job: await ended, steps: steps.map(({ step }) => step), nowMs };
}

describe('watching a job', () => {
  const away = new PlatformError('unavailable', 'PLATFORM_UNREACHABLE', 'nothing answers');

  it('ends with the job, however it ended', async () => {
    for (const status of ['Completed', 'Failed', 'Canceled']) {
      expect((await watched([job('Queued'), job('Running'), job(status)])).job.status).toBe(status);
    }
  });

  it('tells each look where one line is rewritten, and a job that only goes on every half minute where not', async () => {
    const running = Array.from({ length: 61 }, (_, succeeded) => job('Running', { succeeded }, 61));
    expect((await watched([...running, job('Completed')])).steps).toHaveLength(62);
    expect((await watched([...running, job('Completed')], { lines: true })).steps).toEqual([
      'Running: 0 of 61 items (0 %)',
      'Running: 30 of 61 items (49 %)',
      'Running: 60 of 61 items (98 %)',
      'Completed',
    ]);
  });

  it('waits for a platform that is away for less than two minutes, and no longer', async () => {
    const outage = Array.from({ length: 100 }, () => away);
    expect((await watched([job('Running'), ...outage, job('Completed')])).job.status).toBe('Completed');
    await expect(watched([job('Running'), away])).rejects.toBe(away);
  });

  it('ends at once where there is no such job, and when the user stops', async () => {
    const none = new PlatformError('not_found', 'JOB_NOT_FOUND', 'there is no such job');
    await expect(watched([none])).rejects.toBe(none);
    await expect(watched([job('Running')], { stopAtMs: 10_000 })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('looks less often at a job that takes long', async () => {
    const long = Array.from({ length: 400 }, () => job('Running'));
    expect((await watched([...long, job('Completed')])).nowMs).toBe(300 * 1_000 + 100 * 5_000);
  });
});
