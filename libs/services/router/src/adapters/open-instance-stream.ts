import type { Logger } from 'pino';
import { openScoringStream } from '@mooring/scoring-stream';
import type { OpenInstanceStream } from '../ports.ts';

/** Opens real scoring streams. One is closed only when nothing is open on it, so closing never waits. */
export function createInstanceStreams(log: Logger): OpenInstanceStream {
  return ({ id, address }) => {
    const stream = openScoringStream({ address, log: log.child({ instance: id }) });
    return {
      score: (call, signal) => stream.score(call, signal),
      ready: () => stream.ready(),
      close: () => void stream.close(AbortSignal.abort()),
    };
  };
}
