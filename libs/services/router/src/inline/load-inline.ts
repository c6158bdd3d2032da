import type { Logger } from 'pino';
import type { InstanceRecord } from '@mooring/domain';
import { answerOf, tracedPort, type ScoreReply, type ScoringPort } from '@mooring/scoring-stream';
import type { Tracing } from '@mooring/telemetry';
import { factsOf, tellFacts } from '../domain/instance-facts.ts';
import type { LoadInline } from './inline-models.ts';

/** Loads models with ONNX Runtime, which is loaded with the first of them. Spans are those that a scorer makes. */
export function createInlineLoader(bodyBytesMax: number, tracing: Tracing, log: Logger): LoadInline {
  return async (record, model) => {
    const { loadInlineModel } = await import('@mooring/inference');
    const instanceId = `${record.deployment.toLowerCase()}-inline`;
    const { endpoint, deployment } = record;
    const loaded = await loadInlineModel({ instanceId, endpoint, deployment, model }, log);
    const named = identified(tracedPort(loaded, tracing, 'model', instanceId), record, instanceId);
    const port = tracedPort(named, tracing, 'scorer', instanceId);
    return {
      bodyBytesMax,
      blockedMs: loaded.blockedMs,
      score: (call, signal) => port.score(call, signal),
      scoreAtOnce: (call, signal) => answerOf(port, call, signal),
      close: () => loaded.close().catch((error) => log.warn({ err: error }, 'an inline model did not end well')),
    };
  };
}

/** Before the first model: what ONNX Runtime sets up once takes tens of milliseconds. */
export async function prepareInline(): Promise<void> {
  const { prepareNative } = await import('@mooring/inference');
  prepareNative();
}

/** The answer says who gave it. */
function identified(port: ScoringPort, record: InstanceRecord, instanceId: string): ScoringPort {
  const { deployment } = record;
  const facts = factsOf(record, true);
  const identify = (answer: ScoreReply): ScoreReply => {
    answer.deployment = deployment;
    answer.instanceId = instanceId;
    tellFacts(answer, facts);
    return answer;
  };
  return {
    score: async (call, signal) => identify(await port.score(call, signal)),
    scoreAtOnce: (call, signal) => {
      const answer = answerOf(port, call, signal);
      return answer instanceof Promise ? answer.then(identify) : identify(answer);
    },
  };
}
