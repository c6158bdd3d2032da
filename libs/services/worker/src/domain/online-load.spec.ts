import { describe, expect, it } from 'vitest';
import { OnlineLoad } from './online-load.ts';

/** After `seconds` in which the processes answered requests that took so many seconds for each second. */
function loadAfter(seconds: number, ...perSecond: number[]): number {
  const load = new OnlineLoad();
  for (let second = 0; second <= seconds; second += 1) {
    const answers = perSecond.map((rate, index) => ({ process: `edge-${index}`, requestSeconds: 100 + rate * second }));
    load.note(answers, 5_000 + second * 1_000);
  }
  return load.inFlight;
}

describe('the load of online requests', () => {
  it('is what is answered at once, over all processes', () => {
    expect(loadAfter(20, 0.5, 1.5)).toBeCloseTo(2, 3);
  });

  it('is nothing while nothing is known, and where nobody answers', () => {
    expect(loadAfter(0, 3)).toBe(0);
    expect(loadAfter(10)).toBe(0);
  });

  it('follows within a few seconds', () => {
    expect(loadAfter(3, 1)).toBeGreaterThan(0.8);
  });

  it('does not count again what a process had counted before it was heard, nor less than nothing', () => {
    const load = new OnlineLoad();
    load.note([{ process: 'edge-1', requestSeconds: 1_000 }], 0);
    load.note([{ process: 'edge-2', requestSeconds: 5_000 }], 1_000);
    load.note([{ process: 'edge-2', requestSeconds: 10 }], 2_000);
    expect(load.inFlight).toBe(0);
  });
});
