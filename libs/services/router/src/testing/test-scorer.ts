import { join } from 'node:path';
import { pino } from 'pino';
import type { InstanceRecord } from '@mooring/domain';
import { startGrpcServer, type GrpcServer } from '@mooring/rpc';
import { serveScoringStream, type ScoreCall, type ScoreReply, type ScoringStreamServer } from '@mooring/scoring-stream';
import { instanceRecord } from './fake-instance.ts';

const log = pino({ enabled: false });

/** A scoring stream server with an answer of the spec's choice: everything of a scorer but the model. */
export interface TestScorer {
  id: string;
  record: InstanceRecord;
  calls: ScoreCall[];
  aborted: number;
  openNow: number;
  openMost: number;
  stream: ScoringStreamServer;
  server: GrpcServer;
  stop(): Promise<void>;
}

export async function startTestScorer(
  folder: string,
  deployment: string,
  id: string,
  answer: (call: ScoreCall, signal: AbortSignal) => Promise<ScoreReply> | ScoreReply,
): Promise<TestScorer> {
  const address = `unix:${join(folder, `${id}.sock`)}`;
  const calls: ScoreCall[] = [];
  const stream = serveScoringStream({
    credits: 1_000,
    wantsHeaders: false,
    instanceId: id,
    log,
    port: {
      score: async (call, signal) => {
        calls.push(call);
        scorer.openNow += 1;
        scorer.openMost = Math.max(scorer.openMost, scorer.openNow);
        signal.addEventListener('abort', () => (scorer.aborted += 1), { once: true });
        try {
          return await answer(call, signal);
        } finally {
          scorer.openNow -= 1;
        }
      },
    },
  });
  const server = await startGrpcServer({ address, services: [stream], log, ready: () => true });
  const scorer: TestScorer = {
    id,
    record: { ...instanceRecord(deployment, id), address },
    calls,
    aborted: 0,
    openNow: 0,
    openMost: 0,
    stream,
    server,
    stop: () => server.stop(AbortSignal.timeout(20)),
  };
  return scorer;
}
