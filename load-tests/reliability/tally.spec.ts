import { describe, expect, it } from 'vitest';
import { Tally, type Outcome } from './tally.ts';

const outcome = (kind: Outcome['kind'], more: Partial<Outcome> = {}): Outcome => ({
  kind,
  detail: kind,
  refusedStarted: false,
  tookMs: 1,
  ...more,
});

describe('the tally of what callers saw', () => {
  it('takes the longest time between two right answers for the gap, the end of the run included', () => {
    const tally = new Tally(0);
    for (const at of [10, 20, 70, 80]) tally.add(outcome('right', { tookMs: at }), at, 'REST');
    expect(tally).toMatchObject({ right: 4, longestGapMs: 50, slowestMs: 80, slowestCaller: 'REST' });
    tally.end(500);
    expect(tally.longestGapMs).toBe(420);
  });

  it('a lost or wrong answer does not end a gap', () => {
    const tally = new Tally(0);
    tally.add(outcome('lost'), 10, 'REST');
    tally.add(outcome('wrong'), 20, 'REST');
    tally.add(outcome('right'), 30, 'REST');
    expect(tally).toMatchObject({ lost: 1, wrong: 1, longestGapMs: 30 });
  });

  it('counts the refusals that a kill may cause apart from losses', () => {
    const tally = new Tally(0);
    tally.add(outcome('lost', { refusedStarted: true, detail: '503 INSTANCE_LOST' }), 1, 'REST');
    expect(tally).toMatchObject({ lost: 0, refusedStarted: 1 });
    expect(tally.details).toEqual(new Map([['503 INSTANCE_LOST', 1]]));
  });
});
