import { describe, expect, it } from 'vitest';
import { chart, type Panel } from './chart.ts';
import { chartOfRun } from './chart-of-run.ts';
import type { Sample } from './samples.ts';

const point = (x: number, y: number) => ({ x, y, least: y * 0.9, most: y * 1.1 });
const panel = (kind: Panel['kind'], names: readonly string[]): Panel => ({
  title: 'a <b> & c',
  yTitle: 'requests a second',
  xTitle: 'in flight',
  kind,
  series: names.map((name, index) => ({
    name,
    colour: '#000000',
    points: [point(1, 100 * (index + 1)), point(1000, 1000 * (index + 1))],
  })),
});

function numbersOf(svg: string, attribute: string): number[] {
  return [...svg.matchAll(new RegExp(` ${attribute}="([^"]*)"`, 'g'))].map(([, value]) => Number(value));
}

describe('chart', () => {
  it.each(['bars', 'lines'] as const)('draws %s with every name and all marks inside of the picture', (kind) => {
    const svg = chart([panel(kind, ['mooring', 'node-echo'])]);
    expect(svg).toContain('>mooring</text>');
    expect(svg).toContain('>node-echo</text>');
    expect(svg).not.toContain('NaN');
    const [, width = 0, height = 0] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)?.map(Number) ?? [];
    for (const x of [...numbersOf(svg, 'x'), ...numbersOf(svg, 'x2'), ...numbersOf(svg, 'cx')]) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(width);
    }
    for (const y of [...numbersOf(svg, 'y'), ...numbersOf(svg, 'cy')]) expect(y).toBeLessThanOrEqual(height);
  });

  it('escapes text', () => expect(chart([panel('bars', ['x'])])).toContain('a &lt;b&gt; &amp; c'));

  it('keeps labels of lines apart that end at the same height', () => {
    const same = panel('lines', ['a', 'b', 'c']);
    const flat = {
      ...same,
      series: same.series.map(({ name }) => ({ name, colour: '#000000', points: [point(1, 50), point(10, 50)] })),
    };
    const heights = [...chart([flat]).matchAll(/y="([\d.]+)" fill="#[^"]*" font-weight/g)].map(([, y]) => Number(y));
    expect(heights).toHaveLength(3);
    expect(heights[1] ?? 0).toBeGreaterThanOrEqual((heights[0] ?? 0) + 15);
    expect(heights[2] ?? 0).toBeGreaterThanOrEqual((heights[1] ?? 0) + 15);
  });

  it('has panels below each other', () => {
    const one = numbersOf(chart([panel('bars', ['a'])]), 'height')[0] ?? 0;
    const two = numbersOf(chart([panel('bars', ['a']), panel('bars', ['a'])]), 'height')[0] ?? 0;
    expect(two).toBe(2 * one);
  });

  it('survives a run in which nothing was answered', () => {
    const nothing = panel('lines', ['a']);
    const zero = { ...nothing, series: [{ name: 'a', colour: '#000000', points: [point(1, 0)] }] };
    expect(chart([zero])).not.toMatch(/NaN|Infinity/);
  });
});

describe('chartOfRun', () => {
  it('takes the median of the repeats at each point, the fastest system first', () => {
    const sample = (system: string, repeat: number, perSecond: number): Sample => {
      const times = { p50Ms: 1, p99Ms: 1, maxMs: 1, failed: 0 };
      return { workload: 'iris-rest', system, x: 8, repeat, perSecond, ...times };
    };
    const svg = chartOfRun([
      sample('slow', 1, 10),
      sample('fast', 1, 100),
      sample('fast', 2, 300),
      sample('slow', 2, 10),
    ]);
    expect(svg.indexOf('>fast<')).toBeLessThan(svg.indexOf('>slow<'));
    expect(svg).toContain('>200</text>');
  });
});
