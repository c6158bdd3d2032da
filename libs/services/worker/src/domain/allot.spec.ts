import { describe, expect, it } from 'vitest';
import { allot, type Demand } from './allot.ts';

const demand = (job: string, processesMax: number, priority = 5): Demand => ({ job, processesMax, priority });
const shares = (...args: Parameters<typeof allot>): Record<string, number> => Object.fromEntries(allot(...args));

describe('processes of a worker', () => {
  it('go to every job once before any gets a second', () => {
    expect(shares([demand('a', 8), demand('b', 8), demand('c', 1)], 4)).toEqual({ a: 2, b: 1, c: 1 });
  });

  it('are no more than a job asks for', () => {
    expect(shares([demand('a', 1), demand('b', 2)], 8)).toEqual({ a: 1, b: 2 });
  });

  it('go to the first jobs where there are more jobs than processes', () => {
    expect(shares([demand('a', 4), demand('b', 4), demand('c', 4)], 2)).toEqual({ a: 1, b: 1, c: 0 });
  });

  it('go to jobs of a higher priority before others get any', () => {
    const demands = [demand('a', 8), demand('b', 2, 9), demand('c', 1, 9), demand('d', 8, 0)];
    expect(shares(demands, 4)).toEqual({ a: 1, b: 2, c: 1, d: 0 });
  });

  it('are none where there is nothing to do', () => {
    expect(shares([], 4)).toEqual({});
  });
});
