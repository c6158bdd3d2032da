import type { Abandoned } from '@mooring/contracts/scoring';
import type { Logger } from 'pino';
import { openScoringStream } from '@mooring/scoring-stream';
import { metrics } from '@mooring/telemetry';
import type { OpenInstanceStream } from '../ports.ts';

/** Opens real scoring streams. One is closed only when nothing is open on it, so closing never waits. */
export function createInstanceStreams(log: Logger): OpenInstanceStream {
  return ({ id, address, endpoint, deployment }) => {
    const onAbandoned = (sum: Abandoned): void => countAbandoned({ endpoint, deployment }, sum);
    const stream = openScoringStream({ address, log: log.child({ instance: id }), onAbandoned });
    return {
      score: (call, signal) => stream.score(call, signal),
      ready: () => stream.ready(),
      parallel: () => stream.hello?.parallel ?? 0,
      close: () => void stream.close(AbortSignal.abort()),
    };
  };
}

/** Scorers reach no metrics store themselves. */
function countAbandoned(labels: { endpoint: string; deployment: string }, sum: Abandoned): void {
  if (sum.queued > 0) metrics.cancelled.inc({ ...labels, where: 'queue' }, sum.queued);
  if (sum.running > 0) metrics.cancelled.inc({ ...labels, where: 'running' }, sum.running);
  if (sum.wastedUs > 0) metrics.wastedCompute.inc(labels, sum.wastedUs / 1_000_000);
}
