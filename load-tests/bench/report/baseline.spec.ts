import { describe, expect, it } from 'vitest';
import { baselineRatios, compare, regressions, type BaselineRatio } from './baseline.ts';
import type { Ratio } from './ratios.ts';

const of = (figure: Ratio['figure'], median: number, more: Partial<Ratio> = {}): Ratio => ({
  workload: 'iris-rest',
  x: 8,
  system: 'mooring',
  versus: 'node-echo',
  figure,
  median,
  least: median,
  most: median,
  count: 3,
  ...more,
});
const kept = (figure: 'perSecond' | 'cpuUs', median: number): BaselineRatio => {
  const { count: _, ...rest } = of(figure, median);
  return { ...rest, figure };
};

const everything = new Set(['mooring', 'node-echo']);

describe('baselineRatios', () => {
  it('keeps what throughput and CPU of the own rows are against others', () => {
    const all = [
      of('perSecond', 0.812_345),
      of('cpuUs', 2),
      of('p50Ms', 1),
      of('perSecond', 1, { system: 'fastapi' }),
      of('perSecond', 1, { system: 'mooring-process', versus: 'mooring' }),
    ];
    expect(baselineRatios(all).map(({ figure, median }) => [figure, median])).toEqual([
      ['perSecond', 0.8123],
      ['cpuUs', 2],
    ]);
  });
});

describe('compare', () => {
  it.each([
    ['perSecond', 1, 0.86, 'kept'],
    ['perSecond', 1, 0.84, 'worse'],
    ['perSecond', 1, 1.3, 'better'],
    ['cpuUs', 2, 2.2, 'kept'],
    ['cpuUs', 2, 2.4, 'worse'],
    ['cpuUs', 2, 1, 'better'],
  ] as const)('%s from %d to %d is %s', (figure, before, now, outcome) => {
    const [verdict] = compare([kept(figure, before)], [of(figure, now)]);
    expect(verdict?.outcome).toBe(outcome);
  });

  it('names what became worse', () => {
    const verdicts = compare([kept('perSecond', 1), kept('cpuUs', 1)], [of('perSecond', 0.5), of('cpuUs', 1)]);
    expect(regressions(verdicts, everything).map(({ name }) => name)).toEqual([
      'iris-rest 8 mooring / node-echo req/s',
    ]);
  });

  it('fails for a row of its own that is gone, but not for a peer that is not installed here', () => {
    const verdicts = compare([kept('perSecond', 1)], [of('perSecond', 0.5, { x: 32 })]);
    expect(verdicts[0]?.outcome).toBe('missing');
    expect(regressions(verdicts, everything)).toHaveLength(1);
    expect(regressions(verdicts, new Set(['mooring']))).toEqual([]);
  });
});
