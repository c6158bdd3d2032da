import { describe, expect, it } from 'vitest';
import { probeDefaults } from '@mooring/domain';
import { afterProbe, freshLiveness, freshReadiness, startBudgetMs, type ProbeWindow } from './probe-window.ts';

const settings = { initialDelayS: 10, periodS: 10, timeoutS: 2, successThreshold: 1, failureThreshold: 3 };

function play(from: ProbeWindow, results: [atS: number, ok: boolean][], overrides = {}): ProbeWindow {
  return results.reduce(
    (window, [atS, ok]) =>
      afterProbe(window, ok, { ...settings, ...overrides }, { nowMs: atS * 1_000, startedAtMs: 0 }),
    from,
  );
}

describe('a probe', () => {
  it('counts a success at once, even during the initial delay', () => {
    expect(play(freshReadiness, [[0.2, true]]).passing).toBe(true);
  });

  it('waits for as many successes in a row as asked', () => {
    const three = { successThreshold: 3 };
    expect(
      play(
        freshReadiness,
        [
          [1, true],
          [2, true],
        ],
        three,
      ).passing,
    ).toBe(false);
    expect(
      play(
        freshReadiness,
        [
          [1, true],
          [2, true],
          [3, false],
          [4, true],
        ],
        three,
      ).passing,
    ).toBe(false);
    expect(
      play(
        freshReadiness,
        [
          [1, true],
          [2, true],
          [3, true],
        ],
        three,
      ).passing,
    ).toBe(true);
  });

  it('does not count failures during the initial delay', () => {
    expect(
      play(freshLiveness, [
        [1, false],
        [3, false],
        [5, false],
        [9, false],
      ]).passing,
    ).toBe(true);
  });

  it('fails after the threshold, counting one failure a period', () => {
    const quick: [number, boolean][] = [10, 11, 12, 13, 14, 15, 20].map((at) => [at, false]);
    expect(play(freshLiveness, quick).failuresInARow).toBe(2);
    expect(play(freshLiveness, [...quick, [30, false]]).passing).toBe(false);
  });

  it('forgives failures after a success', () => {
    const results: [number, boolean][] = [
      [10, false],
      [20, false],
      [25, true],
      [30, false],
      [40, false],
    ];
    expect(play(freshLiveness, results).passing).toBe(true);
  });
});

describe('startBudgetMs', () => {
  it('is the initial delay and all allowed failures', () => expect(startBudgetMs(probeDefaults)).toBe(310_000));
});
