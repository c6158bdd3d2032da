import type { Tracing } from '@mooring/telemetry';
import { answerOf, type ScoreCall, type ScoreReply, type ScoringPort } from './port.ts';

/** Puts a span around each traced call; what the port does itself goes below it. */
export function tracedPort(port: ScoringPort, tracing: Tracing, name: string, instanceId: string): ScoringPort {
  if (!tracing.enabled) return port;
  const traced = async (call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> => {
    const span = tracing.span(name, call.traceparent, {
      attributes: {
        'mooring.endpoint': call.endpoint,
        'mooring.deployment': call.deployment,
        'mooring.instance': instanceId,
      },
    });
    const answer = await port.score({ ...call, traceparent: span.traceparent }, signal);
    span.set({
      'mooring.batch.id': answer.batchId,
      'mooring.batch.rows': answer.batchRows,
      'mooring.rows': answer.rows,
      'mooring.queue_us': answer.timing?.queueUs ?? 0,
      'mooring.compute_us': answer.timing?.computeUs ?? 0,
    });
    span.end(answer.errorCode === '' ? undefined : { reason: answer.errorReason });
    return answer;
  };
  const isTraced = ({ traceparent }: ScoreCall): boolean => traceparent !== '' && tracing.records(traceparent);
  return {
    score: (call, signal) => (isTraced(call) ? traced(call, signal) : port.score(call, signal)),
    scoreAtOnce: (call, signal) => (isTraced(call) ? traced(call, signal) : answerOf(port, call, signal)),
  };
}
