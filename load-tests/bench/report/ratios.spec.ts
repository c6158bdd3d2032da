import { describe, expect, it } from 'vitest';
import { ratio, ratios } from './ratios.ts';
import type { Sample } from './samples.ts';
import { median, spreadOf } from './statistics.ts';

const sample = (system: string, repeat: number, perSecond: number, more: Partial<Sample> = {}): Sample => ({
  workload: 'iris',
  system,
  x: 8,
  repeat,
  perSecond,
  p50Ms: 1,
  p99Ms: 2,
  maxMs: 3,
  failed: 0,
  ...more,
});

describe('median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[7], 7],
    [[Number.NaN, 5], 5],
  ])('of %j is %d', (values, wanted) => expect(median(values)).toBe(wanted));

  it('of nothing is not a number', () => expect(median([])).toBeNaN());
});

describe('spreadOf', () => {
  it('leaves out what is not known', () => {
    expect(spreadOf([2, Number.NaN, 1, 9])).toEqual({ median: 2, least: 1, most: 9, count: 3 });
    expect(spreadOf([]).least).toBeNaN();
  });
});

describe('ratio', () => {
  const at = { workload: 'iris', x: 8, system: 'ours', versus: 'echo', figure: 'perSecond' } as const;

  it('pairs what was measured in the same repeat', () => {
    const samples = [sample('ours', 1, 50), sample('echo', 1, 100), sample('ours', 2, 30), sample('echo', 2, 40)];
    expect(ratio(samples, at)).toEqual({ ...at, median: 0.625, least: 0.5, most: 0.75, count: 2 });
  });

  it('takes no part of a pair that is missing, zero or unknown', () => {
    const samples = [sample('ours', 1, 50), sample('ours', 2, 0), sample('echo', 2, 40), sample('echo', 3, 40)];
    expect(ratio(samples, at)).toBeUndefined();
    expect(ratio([sample('ours', 1, 1), sample('echo', 1, 1)], { ...at, figure: 'cpuUs' })).toBeUndefined();
  });

  it('does not mix workloads or points', () => {
    const samples = [
      sample('ours', 1, 50),
      sample('echo', 1, 100, { x: 1 }),
      sample('echo', 1, 9, { workload: 'cnn' }),
    ];
    expect(ratio(samples, at)).toBeUndefined();
  });
});

describe('ratios', () => {
  it('compares every system with every reference that was measured', () => {
    const samples = ['ours', 'other', 'echo'].map((name, index) => sample(name, 1, 100 + index));
    const found = ratios(samples, { iris: ['echo', 'absent'] }).filter(({ figure }) => figure === 'perSecond');
    expect(found.map(({ system, versus }) => `${system}/${versus}`)).toEqual(['ours/echo', 'other/echo']);
  });
});
