import { describe, expect, it } from 'vitest';
import { Priority } from '@mooring/contracts/scoring';
import { errorOf, failedReply } from '@mooring/scoring-stream';
import { PlatformError } from '@mooring/errors';
import { mirrored, never, scoreCall } from './testing/calls.ts';
import { heldAdmission, settled } from './testing/held-model.ts';

const batch = { priority: Priority.PRIORITY_BATCH };
const timing = { totalUs: 0, queueUs: 0, batchWaitUs: 0, preprocessUs: 0, computeUs: 0, postprocessUs: 0 };

/** Runs `count` calls of `ms` one after the other, so that admission knows how long one takes. */
async function teach(held: ReturnType<typeof heldAdmission>, count: number, ms: number): Promise<void> {
  for (let call = 0; call < count; call += 1) {
    const answer = held.admission.score(scoreCall(), never);
    await settled();
    held.clock.now += ms;
    await held.open.at(-1)?.answer();
    await answer;
  }
}

describe('admission under overload', () => {
  it('refuses at once what cannot be answered in its time behind those that wait', async () => {
    const held = heldAdmission();
    await teach(held, 5, 100);
    const waiting = [1, 2, 3].map(() => held.admission.score(scoreCall(), never));
    const refused = await held.admission.score(scoreCall({ deadlineMs: 250 }), never);
    expect(errorOf(refused)).toMatchObject({ code: 'unavailable', reason: 'DEADLINE_UNREACHABLE', httpStatus: 503 });
    expect(refused).toMatchObject({ started: false, retryAfterMs: 150 });
    const taken = held.admission.score(scoreCall({ deadlineMs: 450 }), never);
    await settled();
    for (let call = 5; call < 9; call += 1) await held.open[call]?.answer();
    expect((await taken).status).toBe(200);
    expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual([200, 200, 200]);
  });

  it('gives the model no more than it can make use of; the others wait unread', async () => {
    let known = false;
    const held = heldAdmission({
      running: 4,
      inFlight: 8,
      capacity: () => (known ? { parallel: 1, useful: 2 } : undefined),
    });
    const answers = [held.admission.score(scoreCall(), never)];
    known = true;
    answers.push(...Array.from({ length: 7 }, () => held.admission.score(scoreCall(), never)));
    await settled();
    expect(held.open).toHaveLength(2);
    expect(await held.admission.score(scoreCall(), never)).toMatchObject({ errorReason: 'QUEUE_FULL' });
    for (let call = 0; call < 8; call += 1) await held.open[call]?.answer();
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(8).fill(200));
  });

  it('does not begin a call that would end too late, and begins the next', async () => {
    const held = heldAdmission();
    await teach(held, 5, 100);
    const first = held.admission.score(scoreCall(), never);
    const [late, patient] = [220, 60_000].map((deadlineMs) => held.admission.score(scoreCall({ deadlineMs }), never));
    await settled();
    held.clock.now += 180;
    await held.open[5]?.answer();
    expect(await late).toMatchObject({ errorCode: 'deadline_exceeded', started: false });
    await held.open[6]?.answer();
    expect((await Promise.all([first, patient])).map((answer) => answer?.status)).toEqual([200, 200]);
  });

  it('tries a call that need not wait, however slow the model was', async () => {
    const held = heldAdmission();
    await teach(held, 5, 1_000);
    const answer = held.admission.score(scoreCall({ deadlineMs: 100 }), never);
    await settled();
    held.clock.now += 10;
    await held.open.at(-1)?.answer();
    expect((await answer).status).toBe(200);
  });

  it('says when to come again by the queue and the measured time', async () => {
    const held = heldAdmission({ inFlight: 4 });
    await teach(held, 5, 300);
    const waiting = [1, 2, 3, 4].map(() => held.admission.score(scoreCall(), never));
    expect(await held.admission.score(scoreCall(), never)).toMatchObject({
      errorReason: 'QUEUE_FULL',
      retryAfterMs: 1_500,
    });
    await settled();
    for (let call = 5; call < 9; call += 1) await held.open[call]?.answer();
    await Promise.all(waiting);
  });

  it('runs live calls before batch and batch before copies, each in the order of arrival', async () => {
    const held = heldAdmission();
    const order = ['first', 'copy', 'batch 1', 'live 1', 'batch 2', 'live 2'];
    const kinds = [{}, mirrored, batch, {}, batch, {}];
    const answers = order.map((requestId, i) => held.admission.score(scoreCall({ requestId, ...kinds[i] }), never));
    await settled();
    for (let call = 0; call < order.length; call += 1) await held.open[call]?.answer();
    await Promise.all(answers);
    expect(held.open.map(({ call }) => call.requestId)).toEqual([
      'first',
      'live 1',
      'live 2',
      'batch 1',
      'batch 2',
      'copy',
    ]);
  });

  it('gives the place of a batch call to a live one, and none to a further batch call', async () => {
    const held = heldAdmission({ inFlight: 3 });
    const first = held.admission.score(scoreCall(), never);
    const batches = [1, 2].map(() => held.admission.score(scoreCall(batch), never));
    expect(await held.admission.score(scoreCall(batch), never)).toMatchObject({ errorReason: 'QUEUE_FULL' });
    const live = held.admission.score(scoreCall(), never);
    expect(await batches[1]).toMatchObject({ errorReason: 'QUEUE_FULL', started: false });
    await settled();
    for (let call = 0; call < 3; call += 1) await held.open[call]?.answer();
    expect((await Promise.all([first, live, batches[0]])).map((answer) => answer?.status)).toEqual([200, 200, 200]);
  });

  it('bounds the bytes that wait: 503, our capacity, not the caller’s limit', async () => {
    const held = heldAdmission({ queueBytes: 100 });
    const body = Buffer.alloc(60);
    const kept = [1, 2].map(() => held.admission.score(scoreCall({ body }), never));
    const refused = await held.admission.score(scoreCall({ body }), never);
    expect(errorOf(refused)).toMatchObject({ code: 'unavailable', reason: 'QUEUE_BYTES_FULL' });
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    await held.open[0]?.answer();
    await held.open[1]?.answer();
    await Promise.all(kept);
  });

  it('never starts what expired while it waited, even when its timer could not fire', async () => {
    const held = heldAdmission();
    const first = held.admission.score(scoreCall(), never);
    const late = held.admission.score(scoreCall({ deadlineMs: 500 }), never);
    const patient = held.admission.score(scoreCall(), never);
    await settled();
    held.clock.now = 600;
    await held.open[0]?.answer();
    expect(await late).toMatchObject({ errorCode: 'deadline_exceeded', started: false });
    expect(held.open).toHaveLength(2);
    await held.open[1]?.answer();
    await Promise.all([first, patient]);
    expect(held.abandoned).toEqual([{ queued: 1, running: 0, wastedUs: 0 }]);
  });
});

it('says whose patience ended when the model itself noticed that the time was up', async () => {
  const timeout = failedReply(new PlatformError('scoring_timeout', 'SCORING_TIMEOUT', 'too long'), true);
  for (const [deadlineMs, code] of [
    [5_000, 'deadline_exceeded'],
    [0, 'scoring_timeout'],
  ] as const) {
    const held = heldAdmission();
    const answer = held.admission.score(scoreCall({ deadlineMs }), never);
    await settled();
    await held.open[0]?.answer(timeout);
    expect(await answer).toMatchObject({ errorCode: code, started: true });
    expect((await answer).retryAfterMs).toBeGreaterThan(0);
  }
});

describe('calls that nobody waits for', () => {
  it('free their place in the queue at once and are counted as queued', async () => {
    const held = heldAdmission();
    const first = held.admission.score(scoreCall(), never);
    const gone = new AbortController();
    const others = Array.from({ length: 50 }, () => held.admission.score(scoreCall(), gone.signal));
    gone.abort();
    expect(held.admission.inFlight()).toBe(1);
    await Promise.all(others);
    expect(held.abandoned).toEqual(Array.from({ length: 50 }, () => ({ queued: 1, running: 0, wastedUs: 0 })));
    await held.open[0]?.answer();
    await first;
  });

  it.each([
    { why: 'what the model measured', answer: { timing: { ...timing, computeUs: 700 } }, wastedUs: 700 },
    { why: 'the time it held its place when nothing was measured', answer: {}, wastedUs: 40_000 },
  ])('that run are counted with $why', async ({ answer, wastedUs }) => {
    const held = heldAdmission();
    const gone = new AbortController();
    const cancelled = held.admission.score(scoreCall(), gone.signal);
    gone.abort();
    expect(await cancelled).toMatchObject({ errorCode: 'cancelled' });
    expect(held.open[0]?.signal.aborted).toBe(true);
    held.clock.now = 40;
    await held.open[0]?.answer(answer);
    expect(held.abandoned).toEqual([{ queued: 0, running: 1, wastedUs }]);
    expect(held.admission.inFlight()).toBe(0);
  });

  it('and that the model had not begun with cost nothing', async () => {
    const held = heldAdmission();
    const gone = new AbortController();
    const cancelled = held.admission.score(scoreCall(), gone.signal);
    gone.abort();
    await cancelled;
    const notStarted = failedReply(new PlatformError('cancelled', 'CALLER_GONE', 'gone'), false);
    await held.open[0]?.answer(notStarted);
    expect(held.abandoned).toEqual([{ queued: 1, running: 0, wastedUs: 0 }]);
  });

  it('leave nothing behind after 1,000 of them at every stage', async () => {
    const held = heldAdmission({ running: 4, inFlight: 8 });
    for (let round = 0; round < 1_000; round += 1) {
      const gone = new AbortController();
      const calls = [1, 2, 3, 4, 5, 6].map(() => held.admission.score(scoreCall(), gone.signal));
      gone.abort();
      await Promise.all(calls);
      for (const { answer } of held.open.splice(0)) void answer();
      await settled();
    }
    expect(held.admission.inFlight()).toBe(0);
    const total = (of: 'queued' | 'running'): number => held.abandoned.reduce((sum, one) => sum + one[of], 0);
    expect([total('queued'), total('running')]).toEqual([2_000, 4_000]);
  });
});
