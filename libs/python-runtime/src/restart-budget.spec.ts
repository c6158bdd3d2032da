import { describe, expect, it } from 'vitest';
import { restartBudget } from './restart-budget.ts';

describe('the budget of restarts', () => {
  it('allows the first at once, and later ones after longer and longer', () => {
    const budget = restartBudget(10);
    const delays = Array.from({ length: 9 }, (_, index) => budget.exited(index));
    expect(delays).toEqual([0, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });

  it('ends with more exits in a minute than it allows', () => {
    const budget = restartBudget(2);
    expect([budget.exited(0), budget.exited(1_000), budget.exited(2_000)]).toEqual([0, 100, undefined]);
    expect(budget.count()).toBe(3);
  });

  it('forgets what is more than a minute ago', () => {
    const budget = restartBudget(2);
    budget.exited(0);
    budget.exited(1_000);
    expect(budget.exited(61_500)).toBe(0);
    expect(budget.count()).toBe(1);
  });
});
