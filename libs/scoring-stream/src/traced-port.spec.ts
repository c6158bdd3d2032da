import { describe, expect, it } from 'vitest';
import type { Tracing } from '@mooring/telemetry';
import { reply, type ScoreCall } from './port.ts';
import { call as scoreCall } from './testing.ts';
import { tracedPort } from './traced-port.ts';

const never = new AbortController().signal;

interface Ended {
  name: string;
  parent: string;
  reason: string | undefined;
}

/** A tracer that names each span after itself. */
function fakeTracing(enabled = true): { tracing: Tracing; ended: Ended[] } {
  const ended: Ended[] = [];
  const tracing: Tracing = {
    enabled,
    records: (traceparent) => traceparent !== 'unsampled',
    shutdown: async () => {},
    span: (name, parent) => ({
      traceparent: `${parent}/${name}`,
      traceId: '',
      set: () => {},
      end: (error) => void ended.push({ name, parent, reason: error?.reason }),
    }),
  };
  return { tracing, ended };
}

describe('a traced port', () => {
  it('puts the model’s span below the scorer’s and marks failures', async () => {
    const { tracing, ended } = fakeTracing();
    const model = { score: async () => reply({ errorCode: 'model_failed', errorReason: 'MODEL_RUN_FAILED' }) };
    const port = tracedPort(tracedPort(model, tracing, 'model', 'i-1'), tracing, 'scorer', 'i-1');
    await port.score(scoreCall({ traceparent: 'root' }), never);
    expect(ended).toEqual([
      { name: 'model', parent: 'root/scorer', reason: 'MODEL_RUN_FAILED' },
      { name: 'scorer', parent: 'root', reason: 'MODEL_RUN_FAILED' },
    ]);
  });

  it('leaves calls that are not traced as they are', async () => {
    const { tracing, ended } = fakeTracing();
    const seen: ScoreCall[] = [];
    const model = { score: async (call: ScoreCall) => (seen.push(call), reply({ status: 200 })) };
    const call = scoreCall();
    await tracedPort(model, tracing, 'model', 'i-1').score(call, never);
    expect(seen[0]).toBe(call);
    const unsampled = scoreCall({ traceparent: 'unsampled' });
    await tracedPort(model, tracing, 'model', 'i-1').score(unsampled, never);
    expect(seen[1]).toBe(unsampled);
    expect(ended).toEqual([]);
    expect(tracedPort(model, fakeTracing(false).tracing, 'model', 'i-1')).toBe(model);
  });
});
