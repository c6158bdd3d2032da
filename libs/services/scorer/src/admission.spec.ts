import { describe, expect, it } from 'vitest';
import { Operation } from '@mooring/contracts/scoring';
import { errorOf, reply, type ScoreCall, type ScoreReply, type ScoringPort } from '@mooring/scoring-stream';
import { limitCalls, type Admission } from './admission.ts';
import { mirrored, never, scoreCall } from './testing/calls.ts';

interface OpenCall {
  call: ScoreCall;
  signal: AbortSignal;
  answer: (fields?: Partial<ScoreReply>) => void;
}

/** A model whose answers the test gives. */
function heldModel(): { port: ScoringPort; open: OpenCall[] } {
  const open: OpenCall[] = [];
  const score = (call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> =>
    new Promise((resolve) =>
      open.push({ call, signal, answer: (fields) => resolve(reply({ status: 200, ...fields })) }),
    );
  return { port: { score }, open };
}

function admitted(limits: { running?: number; inFlight?: number; requestTimeoutMs?: number } = {}): {
  admission: Admission;
  open: OpenCall[];
} {
  const { port, open } = heldModel();
  const all = { running: 1, inFlight: 2, requestTimeoutMs: 60_000, ...limits };
  return { admission: limitCalls(port, all, () => performance.now()), open };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('admission', () => {
  it('lets so many run, as many wait, and refuses the next with QUEUE_FULL, not started', async () => {
    const { admission, open } = admitted();
    const answers = [1, 2].map(() => admission.score(scoreCall(), never));
    const third = await admission.score(scoreCall(), never);
    expect(errorOf(third)).toMatchObject({ code: 'resource_exhausted', reason: 'QUEUE_FULL' });
    expect(third).toMatchObject({ started: false });
    expect(third.retryAfterMs).toBeGreaterThan(0);
    expect(open).toHaveLength(1);
    open[0]?.answer();
    await answers[0];
    await settled();
    expect(open).toHaveLength(2);
    open[1]?.answer();
    expect((await answers[1])?.status).toBe(200);
    expect(admission.inFlight()).toBe(0);
  });

  it('does not count calls that only describe the model', async () => {
    const { admission, open } = admitted();
    void admission.score(scoreCall(), never);
    void admission.score(scoreCall(), never);
    const described = admission.score(scoreCall({ operation: Operation.OPERATION_METADATA }), never);
    open.find(({ call }) => call.operation === Operation.OPERATION_METADATA)?.answer();
    expect((await described).status).toBe(200);
  });

  it('gives the place of a waiting mirrored copy to a live call, and runs live calls first', async () => {
    const { admission, open } = admitted({ inFlight: 3 });
    const live = admission.score(scoreCall({ requestId: 'live' }), never);
    const copies = ['a', 'b'].map((requestId) => admission.score(scoreCall({ ...mirrored, requestId }), never));
    const second = admission.score(scoreCall({ requestId: 'second' }), never);
    expect((await copies[1])?.errorReason).toBe('QUEUE_FULL');
    expect((await admission.score(scoreCall(mirrored), never)).errorReason).toBe('QUEUE_FULL');
    for (let turn = 0; turn < 3; turn++) {
      open[turn]?.answer();
      await settled();
    }
    await Promise.all([live, second, copies[0]]);
    expect(open.map(({ call }) => call.requestId)).toEqual(['live', 'second', 'a']);
  });

  it('answers scoring_timeout, aborts the model, and keeps the place taken until the model has ended', async () => {
    const { admission, open } = admitted({ requestTimeoutMs: 20 });
    const late = await admission.score(scoreCall(), never);
    expect(errorOf(late)).toMatchObject({ code: 'scoring_timeout', httpStatus: 408 });
    expect(open[0]?.signal.aborted).toBe(true);
    expect(admission.inFlight()).toBe(1);
    const waited = await admission.score(scoreCall(), never);
    expect(waited).toMatchObject({ errorCode: 'scoring_timeout', started: false });
    expect(open).toHaveLength(1);
    open[0]?.answer();
    await settled();
    expect(admission.inFlight()).toBe(0);
  });

  it('answers deadline_exceeded when the caller’s deadline comes first', async () => {
    const { admission, open } = admitted();
    const answer = admission.score(scoreCall({ deadlineMs: 15 }), never);
    await settled();
    expect(open[0]?.call.deadlineMs).toBeLessThanOrEqual(15);
    expect(errorOf(await answer)?.code).toBe('deadline_exceeded');
  });

  it('calls an answer late even when the run held up the timer', async () => {
    let now = 0;
    const port = { score: async () => ((now += 500), reply({ status: 200 })) };
    const admission = limitCalls(port, { running: 1, inFlight: 2, requestTimeoutMs: 100 }, () => now);
    expect((await admission.score(scoreCall(), never)).errorCode).toBe('scoring_timeout');
  });

  it('lets go of a waiting call whose caller is gone', async () => {
    const { admission, open } = admitted();
    const first = admission.score(scoreCall(), never);
    const gone = new AbortController();
    const second = admission.score(scoreCall(), gone.signal);
    gone.abort();
    expect(await second).toMatchObject({ errorCode: 'cancelled', started: false });
    expect(admission.inFlight()).toBe(1);
    open[0]?.answer();
    await first;
    await settled();
    expect(open).toHaveLength(1);
  });

  it('counts waiting for a place as waiting in the queue', async () => {
    let now = 0;
    const { port, open } = heldModel();
    const admission = limitCalls(port, { running: 1, inFlight: 2, requestTimeoutMs: 60_000 }, () => now);
    const first = admission.score(scoreCall(), never);
    const second = admission.score(scoreCall(), never);
    await settled();
    now = 30;
    open[0]?.answer();
    await first;
    await settled();
    const timing = { totalUs: 10, queueUs: 1, batchWaitUs: 0, preprocessUs: 2, computeUs: 3, postprocessUs: 4 };
    open[1]?.answer({ timing });
    expect((await second).timing).toEqual({ ...timing, totalUs: 30_010, queueUs: 30_001 });
  });
});
