import { describe, expect, it } from 'vitest';
import { frameKind, type Frame } from './frames.ts';
import { OpenCall } from './open-call.ts';
import { scoreCall } from './testing.ts';
import { workerReply } from './worker-reply.ts';

const meta = {
  contentType: 'application/json',
  headers: [
    ['x-a', '1'],
    ['x-a', '2'],
  ],
  reason: '',
  message: '',
};
const frame: Frame = {
  kind: frameKind.reply,
  id: 1,
  status: 200,
  preprocessUs: 10,
  computeUs: 1_500,
  postprocessUs: 20,
  residentKib: 0,
  meta: Buffer.alloc(0),
  body: Buffer.from('{}'),
};

/** The reply to a call that arrived at 0, was started at `startedMs` and answered at 10 ms. */
function replyTo(changes: Partial<Frame> = {}, said: Partial<typeof meta> = {}, startedMs = 4, waited = false) {
  const open = new OpenCall(scoreCall(''), 1_000, 0);
  open.startedMs = startedMs;
  open.waitedInWorker = waited;
  return workerReply(open, { ...frame, meta: Buffer.from(JSON.stringify({ ...meta, ...said })), ...changes }, 10);
}

describe('what a worker said, as a reply', () => {
  it('has its status, headers and bytes as they are, and how long run took', () => {
    const reply = replyTo();
    expect(reply).toMatchObject({ status: 200, contentType: 'application/json', errorCode: '', started: true });
    expect(reply.body.toString()).toBe('{}');
    expect(reply.headers).toEqual([
      { name: 'x-a', value: '1' },
      { name: 'x-a', value: '2' },
      { name: 'x-ms-run-fn-exec-ms', value: '1.500' },
    ]);
  });

  it('is JSON of a run that did not fail when the worker says no more', () => {
    const reply = replyTo({ meta: Buffer.alloc(0) });
    expect(reply).toMatchObject({ status: 200, contentType: 'application/json', errorCode: '' });
    expect(reply.headers).toEqual([
      { name: 'x-ms-run-function-failed', value: 'False' },
      { name: 'x-ms-run-fn-exec-ms', value: '1.500' },
    ]);
  });

  it('counts waiting behind another call in the worker as waiting', () => {
    expect(replyTo({}, {}, 9.9, true).timing).toEqual({
      totalUs: 10_000,
      queueUs: 8_470,
      batchWaitUs: 0,
      preprocessUs: 10,
      computeUs: 1_500,
      postprocessUs: 20,
    });
  });

  it('has times that add up, what carrying costs among preprocessing', () => {
    expect(replyTo().timing).toEqual({
      totalUs: 10_000,
      queueUs: 4_000,
      batchWaitUs: 0,
      preprocessUs: 4_480,
      computeUs: 1_500,
      postprocessUs: 20,
    });
  });

  it('has times that add up even when the worker’s clock says more than there was', () => {
    const { timing } = replyTo({ computeUs: 99_000, postprocessUs: 99_000 });
    expect(timing).toMatchObject({
      totalUs: 10_000,
      queueUs: 4_000,
      computeUs: 6_000,
      postprocessUs: 0,
      preprocessUs: 0,
    });
  });

  it.each([199, 302, 404, 500])('is a failure of the model with status %i, which passes on whole', (status) => {
    expect(replyTo({ status })).toMatchObject({
      status,
      errorCode: 'model_failed',
      errorReason: 'MODEL_STATUS',
      errorMessage: `the scoring script answered with status ${status}`,
    });
  });

  it('names what the worker itself refused', () => {
    const refused = replyTo({ status: 500 }, { reason: 'RESULT_NOT_JSON', message: 'run() returned a set' });
    expect(refused).toMatchObject({ errorReason: 'RESULT_NOT_JSON', errorMessage: 'run() returned a set' });
    expect(refused.headers.map((header) => header.name)).not.toContain('x-ms-run-fn-exec-ms');
  });
});
