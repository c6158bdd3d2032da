import type { ScoreReply } from '@mooring/scoring-stream';

/** Where the time of a gRPC request went, ms, under the labels of the stage metric. */
export interface Stages {
  auth: number;
  route: number;
  queue: number;
  batch_wait: number;
  transport: number;
  preprocess: number;
  compute: number;
  postprocess: number;
}

/**
 * The stages add up to `totalMs`: `transport` is what nobody else accounts for, and where an instance's clock says that more
 * passed than did, what it says is scaled down to fit.
 */
export function stagesOf(answer: ScoreReply | undefined, authMs: number, totalMs: number): Stages {
  const timing = answer?.timing;
  const insideMs = totalMs - authMs;
  const knownUs = timing === undefined ? 0 : timing.queueUs + timing.batchWaitUs + timing.preprocessUs;
  const ranUs = timing === undefined ? 0 : timing.computeUs + timing.postprocessUs;
  const knownMs = ((answer?.routerUs ?? 0) + knownUs + ranUs) / 1_000;
  const scale = knownMs > insideMs ? insideMs / knownMs : 1;
  const ms = (us = 0): number => (us / 1_000) * scale;
  return {
    auth: authMs,
    route: ms(answer?.routerUs),
    queue: ms(timing?.queueUs),
    batch_wait: ms(timing?.batchWaitUs),
    transport: insideMs - knownMs * scale,
    preprocess: ms(timing?.preprocessUs),
    compute: ms(timing?.computeUs),
    postprocess: ms(timing?.postprocessUs),
  };
}
