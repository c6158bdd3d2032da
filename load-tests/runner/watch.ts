import type { Clock } from './clock.ts';
import { formatDuration } from './duration.ts';
import { RunError } from './errors.ts';
import type { Log } from './log.ts';
import type { TestRun } from './scope.ts';
import { findAbort, type Threshold } from './thresholds.ts';

export interface WatchParts {
  test: TestRun;
  clock: Clock;
  thresholds: readonly Threshold[];
  log: Log;
  maxVus: number;
  /** The load is over. */
  signal: AbortSignal;
  end: (reason: Error) => void;
}

const tickMs = 1_000;
const ticksPerEvaluation = 2;
const ticksPerProgress = 10;

/** While the load runs: gauges, a line of progress now and then, and thresholds that end the test early. */
export async function watch({ test, clock, thresholds, log, maxVus, signal, end }: WatchParts): Promise<void> {
  const { metrics, counts, startedAt } = test;
  for (let tick = 1; !signal.aborted; tick++) {
    metrics.addByName('vus', counts.vusActive, {});
    metrics.addByName('vus_max', counts.vusInitialized, {});
    await clock.wait(startedAt + tick * tickMs - clock.now(), signal);
    if (signal.aborted) return;
    const elapsedMs = clock.now() - startedAt;
    const crossed = tick % ticksPerEvaluation === 0 ? findAbort(thresholds, elapsedMs) : undefined;
    if (crossed !== undefined) {
      end(new RunError('thresholdsCrossed', `threshold crossed: ${crossed.metric} ${crossed.source}`));
    }
    if (tick % ticksPerProgress !== 0) continue;
    log.progress(
      `running (${formatDuration(elapsedMs)}), ${counts.vusActive}/${maxVus} VUs, ` +
        `${counts.completed} complete and ${counts.interrupted} interrupted iterations`,
    );
  }
}
