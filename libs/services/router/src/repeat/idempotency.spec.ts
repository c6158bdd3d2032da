import { expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { reply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { call } from '@mooring/scoring-stream/testing';
import { AnswerStore } from './answer-store.ts';
import { IdempotentPort, type KnownAnswer } from './idempotency.ts';

const never = new AbortController().signal;

/** When the endpoint of these specs was created; a spec may have it deleted and created again. */
let createdAt = 'the first time';

/** A process that has only its own store, as while NATS is away. */
function alone(answer: (call: ScoreCall) => Promise<ScoreReply>, openMax = 10) {
  const notes: string[] = [];
  const calls: ScoreCall[] = [];
  const score = (asked: ScoreCall): Promise<ScoreReply> => {
    calls.push(asked);
    return answer(asked);
  };
  const away = new PlatformError('unavailable', 'STATE_STORE_UNAVAILABLE', 'away');
  const port = new IdempotentPort(
    { score },
    {
      directory: {
        endpoint: (name) => (name === 'cars' ? ({ name, writtenName: 'Cars', createdAt } as never) : undefined),
      },
      answers: new AnswerStore<KnownAnswer>({ entriesMax: 2, bytesMax: 2 ** 20, ttlMs: 1_000 }, () => 0),
      claims: { store: { use: () => Promise.reject(away) }, leaseMs: 1_000 },
      processId: 'p',
      answerBytesMax: 2 ** 16,
      openMax,
      note: (endpoint, result) => notes.push(`${endpoint} ${result}`),
    },
  );
  const send = (fields: Partial<ScoreCall> = {}, signal = never) =>
    port.score(call({ idempotencyKey: 'a', ...fields }), signal);
  return { send, calls, notes };
}
const done = (): Promise<ScoreReply> => Promise.resolve(reply({ status: 200 }));

it('keeps what it can while it cannot share, and counts that', async () => {
  const { send, calls, notes } = alone(done);
  expect([(await send()).idempotency, (await send()).idempotency]).toEqual(['stored', 'replayed']);
  expect(calls).toHaveLength(1);
  expect(notes).toEqual(['Cars alone', 'Cars run', 'Cars replayed']);
});

it('gives nobody the answer of an endpoint that was deleted and created again', async () => {
  const { send, calls } = alone(done);
  await send();
  createdAt = 'the second time';
  expect((await send()).idempotency).toBe('stored');
  expect(calls).toHaveLength(2);
});

it.each([
  ['a call without a key', { idempotencyKey: '' }],
  ['what only describes a model', { operation: 4 as const }],
  ['an endpoint that does not exist', { endpoint: 'nothing' }],
])('leaves %s alone', async (_what, fields) => {
  const { send, calls, notes } = alone(done);
  for (const round of [1, 2]) {
    expect((await send(fields)).idempotency).toBe('');
    expect(calls).toHaveLength(round);
  }
  expect(notes).toEqual([]);
});

it('refuses more open keys than it may have, with a time to try again; who joins an open one counts for nothing', async () => {
  const gate = Promise.withResolvers<ScoreReply>();
  const { send, calls } = alone(() => gate.promise, 2);
  const open = [send({ idempotencyKey: 'a' }), send({ idempotencyKey: 'b' })];
  await expect.poll(() => calls.length).toBe(2);
  const joined = send({ idempotencyKey: 'a' });
  const refused = await send({ idempotencyKey: 'c' });
  expect(refused).toMatchObject({ errorReason: 'IDEMPOTENCY_KEYS_FULL', started: false, retryAfterMs: 1_000 });
  gate.resolve(reply({ status: 200 }));
  expect((await Promise.all([...open, joined])).map(({ errorCode }) => errorCode)).toEqual(['', '', '']);
  expect((await send({ idempotencyKey: 'c' })).errorCode).toBe('');
});

it('answers a failure of the port behind it, and never rejects', async () => {
  const { send } = alone(() => Promise.reject(new Error('a bug')));
  expect(await send()).toMatchObject({ errorCode: 'internal', started: true, idempotency: '' });
});
