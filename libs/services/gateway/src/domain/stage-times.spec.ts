import { describe, expect, it } from 'vitest';
import { reply } from '@mooring/scoring-stream';
import { serverTiming, stageTimes, type Marks } from './stage-times.ts';

const marks: Marks = { began: 100, authenticated: 101, bodyRead: 103, answered: 113, ended: 114 };
const timing = {
  totalUs: 7_000,
  queueUs: 1_000,
  batchWaitUs: 500,
  preprocessUs: 500,
  computeUs: 4_000,
  postprocessUs: 1_000,
};
const sum = (times: object): number =>
  Object.values(times as Record<string, number>).reduce((total, ms) => total + ms, 0);

describe('stageTimes', () => {
  it('gives what nobody else claims to transport', () => {
    expect(stageTimes(marks, reply({ timing, routerUs: 1_000 }))).toEqual({
      auth: 1,
      read: 2,
      route: 1,
      queue: 1,
      batchWait: 0.5,
      preprocess: 0.5,
      compute: 4,
      postprocess: 1,
      transport: 2,
      write: 1,
    });
  });

  it.each([
    { why: 'a full answer', at: marks, answer: reply({ timing, routerUs: 1_000 }) },
    {
      why: 'clocks that disagree',
      at: marks,
      answer: reply({ timing: { ...timing, totalUs: 20_000, computeUs: 17_000 } }),
    },
    { why: 'no answer', at: marks, answer: undefined },
    { why: 'refused before the body', at: { ...marks, bodyRead: undefined, answered: 101.5 }, answer: undefined },
    {
      why: 'refused before the key',
      at: { began: 1, authenticated: undefined, bodyRead: undefined, answered: 2, ended: 3 },
      answer: undefined,
    },
    {
      why: 'a caller that left',
      at: { began: 1, authenticated: 1.5, bodyRead: undefined, answered: undefined, ended: 9 },
      answer: undefined,
    },
  ])('adds up to the total: $why', ({ at, answer }) => {
    const times = stageTimes(at, answer);
    expect(sum(times)).toBeCloseTo(at.ended - at.began, 6);
    for (const ms of Object.values(times)) expect(ms).toBeGreaterThanOrEqual(0);
  });
});

describe('serverTiming', () => {
  it('leaves out what took no time', () => {
    const times = stageTimes(marks, undefined);
    expect(serverTiming(times)).toBe(
      'read;dur=2.000, auth;dur=1.000, transport;dur=10.000, write;dur=1.000, total;dur=14.000',
    );
  });
});
