import { eventually, fixture } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { ask, jsonOf, scoreCall, useRuntimes } from './testing.ts';

const { running } = useRuntimes(fixture('slow-and-bad/scripts'));

describe('deadlines', () => {
  it.each([{ busy: false }, { busy: true }, { ignore_sigterm: true, busy: true }])(
    'answers at request_timeout_ms and has a worker for the next call (%o)',
    async (body) => {
      const { runtime } = await running('hang_in_run.py', {
        requestSettings: { requestTimeoutMs: 300, maxConcurrentRequestsPerInstance: 1, maxQueueWaitMs: 500 },
      });
      const from = performance.now();
      const answer = await ask(runtime, body);
      expect(answer).toMatchObject({ errorCode: 'scoring_timeout', errorReason: 'SCORING_TIMEOUT', started: true });
      expect(performance.now() - from).toBeLessThan(2_000);
      await eventually(() => runtime.ready());
      expect(jsonOf(await ask(runtime, { seconds: 0 }))).toEqual({ slept: 0 });
    },
  );

  it('counts the time in the queue, and says that such a call never started', async () => {
    const { runtime } = await running('hang_in_run.py');
    const running1 = ask(runtime, { seconds: 1 });
    expect(await ask(runtime, { seconds: 0 }, { deadlineMs: 200 })).toMatchObject({
      errorCode: 'scoring_timeout',
      started: false,
    });
    expect(jsonOf(await running1)).toEqual({ slept: 1 });
  });

  it('takes a cancelled call out of the queue and interrupts one that runs', async () => {
    const { runtime } = await running('hang_in_run.py');
    const gone = new AbortController();
    const first = runtime.score(scoreCall({ seconds: 0.3 }), gone.signal);
    const second = runtime.score(scoreCall({ seconds: 60 }), gone.signal);
    const third = ask(runtime, { seconds: 0 });
    gone.abort();
    expect(await first).toMatchObject({ errorCode: 'cancelled', started: true });
    expect(await second).toMatchObject({ errorCode: 'cancelled', started: false });
    expect(jsonOf(await third)).toEqual({ slept: 0 });
  });

  it('refuses what does not fit into its queue', async () => {
    const { runtime } = await running('hang_in_run.py', {}, { queueMax: 1 });
    const kept = [ask(runtime, { seconds: 0.3 }), ask(runtime, { seconds: 0 })];
    expect(await ask(runtime, { seconds: 0 })).toMatchObject({
      errorCode: 'resource_exhausted',
      errorReason: 'QUEUE_FULL',
      started: false,
    });
    for (const answer of await Promise.all(kept)) expect(answer.status).toBe(200);
  });
});
