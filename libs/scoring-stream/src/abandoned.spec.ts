import { expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { failedReply, rankOf, reply, spentUs } from './index.ts';
import { OpenCalls } from './open-calls.ts';
import { call } from './testing.ts';

const timing = { totalUs: 900, queueUs: 100, batchWaitUs: 0, preprocessUs: 0, computeUs: 800, postprocessUs: 0 };

it('serves live calls first, then batch, then copies', () => {
  expect([0, 1, 3, 2, 99].map(rankOf)).toEqual([0, 0, 1, 2, 0]);
});

it('charges a call for its share of a run that it shared', () => {
  expect(spentUs(reply({ timing, rows: 2, batchRows: 8 }))).toBe(200);
  expect(spentUs(reply({ timing, rows: 2, batchRows: 2 }))).toBe(800);
  expect(spentUs(reply({}))).toBe(0);
});

it('takes an answer that crossed the cancel on the wire for wasted, and nothing that its instance counts itself', () => {
  const late: unknown[] = [];
  const calls = new OpenCalls(
    () => undefined,
    (sum) => late.push(sum),
  );
  const send = (answer: Parameters<typeof calls.settle>[1]): void => {
    const gone = new AbortController();
    void calls.add(call(), gone.signal);
    const id = calls.take().calls[0]?.id ?? 0;
    gone.abort();
    calls.settle(id, answer);
  };
  send(reply({ status: 200, timing }));
  send(failedReply(new PlatformError('scoring_timeout', 'SCORING_TIMEOUT', 'late'), true));
  send(failedReply(new PlatformError('resource_exhausted', 'QUEUE_FULL', 'full'), false));
  expect(late).toEqual([{ queued: 0, running: 1, wastedUs: 800 }]);
  expect(calls.size).toBe(0);
});

it('counts a call that was given up before it was sent, which its instance never hears of', () => {
  const sums: unknown[] = [];
  const calls = new OpenCalls(
    () => undefined,
    (sum) => sums.push(sum),
  );
  const gone = new AbortController();
  void calls.add(call(), gone.signal);
  gone.abort();
  expect(calls.take()).toEqual({ calls: [], cancels: [] });
  expect(sums).toEqual([{ queued: 1, running: 0, wastedUs: 0 }]);
});
