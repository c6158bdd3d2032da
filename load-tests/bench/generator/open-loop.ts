import type { LoadResult, OpenJob } from './jobs.ts';
import type { Lane, OnOutcome } from './lane.ts';
import { Tally } from './tally.ts';

const sweepMs = 100;
/** Timers are late by up to a millisecond and more: nearer than this the loop turns instead of sleeping. */
const spinMs = 2;

/**
 * Runs an open loop to its end: request number i is due at i / rate whatever happened to the ones before, and its latency
 * counts from then, so that a server that stalls cannot hide it.
 */
export function runOpen(job: OpenJob, lane: (onOutcome: OnOutcome) => Lane): Promise<LoadResult> {
  const startedAt = performance.now();
  const from = startedAt + job.warmupMs;
  const tally = new Tally(startedAt, from);
  const cpu = process.cpuUsage();
  const total = Math.round((job.perSecond * (job.warmupMs + job.durationMs)) / 1_000);
  const all: Lane[] = [];
  const free: Lane[] = [];
  let next = 0;
  let open = 0;
  let lastAt = startedAt;
  return new Promise((resolve) => {
    const onOutcome: OnOutcome = (done, outcome) => {
      lastAt = performance.now();
      open -= 1;
      free.push(done);
      tally.outcome(outcome, done.dueAt, lastAt - done.dueAt);
      tally.sliceOutcome(done, outcome, lastAt - done.dueAt);
    };
    const takeLane = (): Lane | undefined => {
      const taken = free.pop();
      if (taken !== undefined || all.length >= job.openMax) return taken;
      const made = lane(onOutcome);
      all.push(made);
      return made;
    };
    const sendDue = (now: number): void => {
      for (let dueAt = dueTime(next); next < total && dueAt <= now; dueAt = dueTime(next)) {
        next += 1;
        tally.due(dueAt);
        const taken = takeLane();
        if (taken === undefined) {
          tally.dropped += 1;
          continue;
        }
        taken.dueAt = dueAt;
        taken.sentAt = performance.now();
        tally.lag.add(taken.sentAt - dueAt);
        tally.sent += 1;
        open += 1;
        taken.send();
      }
    };
    const dueTime = (index: number): number => startedAt + (index * 1_000) / job.perSecond;
    const turn = (): void => {
      const now = performance.now();
      sendDue(now);
      if (next >= total) return;
      const waitMs = dueTime(next) - performance.now();
      if (waitMs > spinMs) setTimeout(turn, waitMs - spinMs);
      else setImmediate(turn);
    };
    const sweep = setInterval(() => {
      const now = performance.now();
      for (const one of all) if (one.busy && now - one.dueAt > job.timeoutMs) one.abandon('no answer in time');
      if (next < total || open > 0) return;
      clearInterval(sweep);
      for (const one of all) one.close();
      const used = process.cpuUsage(cpu);
      const seconds = Math.max(job.durationMs, lastAt - from) / 1_000;
      resolve(tally.result(seconds, used.user + used.system));
    }, sweepMs);
    turn();
  });
}
