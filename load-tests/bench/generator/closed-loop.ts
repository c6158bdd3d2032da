import { goodStatus, type ClosedJob, type LoadResult } from './jobs.ts';
import type { Lane, OnOutcome } from './lane.ts';
import { Tally } from './tally.ts';

/** How often requests are looked through for one that waits too long. */
const sweepMs = 100;
/** A server that refuses connections must not be asked in a busy loop. */
const pauseAfterNoAnswerMs = 20;

/** Runs a closed loop to its end; `lanes` makes the places for requests. */
export function runClosed(job: ClosedJob, lanes: (onOutcome: OnOutcome) => Lane[]): Promise<LoadResult> {
  const startedAt = performance.now();
  const from = startedAt + job.warmupMs;
  const until = from + job.durationMs;
  const tally = new Tally();
  const cpu = process.cpuUsage();
  let open = 0;
  return new Promise((resolve) => {
    const send = (lane: Lane, now: number): void => {
      lane.sentAt = now;
      tally.sent += 1;
      open += 1;
      lane.send();
    };
    const onOutcome: OnOutcome = (lane, outcome) => {
      const now = performance.now();
      open -= 1;
      // What comes after the end was sent before it and would count without its time.
      if (now < until || outcome.status === 0) tally.outcome(outcome, now - lane.sentAt, now >= from);
      if (now < until && now >= from && outcome.status === goodStatus) tally.good += 1;
      if (now >= until) finishIfDone();
      else if (outcome.status === 0) setTimeout(() => again(lane), pauseAfterNoAnswerMs);
      else send(lane, now);
    };
    const again = (lane: Lane): void => {
      const now = performance.now();
      if (now < until) send(lane, now);
      else finishIfDone();
    };
    const all = lanes(onOutcome);
    const sweep = setInterval(() => {
      const now = performance.now();
      for (const lane of all) if (lane.busy && now - lane.sentAt > job.timeoutMs) lane.abandon('no answer in time');
      if (now >= until) finishIfDone();
    }, sweepMs);
    const finishIfDone = (): void => {
      if (open > 0) return;
      clearInterval(sweep);
      for (const lane of all) lane.close();
      const used = process.cpuUsage(cpu);
      resolve(tally.result(job.durationMs, used.user + used.system));
    };
    for (const lane of all) send(lane, performance.now());
  });
}
