import { describe, expect, it } from 'vitest';
import { createSink, percentOf } from './sinks.ts';

function sinkOf(type: Parameters<typeof createSink>[0], values: readonly number[]) {
  const sink = createSink(type);
  for (const value of values) sink.add(value);
  return sink;
}

describe('trend', () => {
  it('interpolates between the two nearest samples, as k6 does', () => {
    const sink = sinkOf('trend', [4, 1, 3, 2]);
    expect(sink.figure('med', 1)).toBe(2.5);
    expect(sink.figure('p(90)', 1)).toBeCloseTo(3.7);
    expect(sink.figure('p(0)', 1)).toBe(1);
    expect(sink.figure('p(100)', 1)).toBe(4);
    expect(['min', 'max', 'avg', 'count'].map((name) => sink.figure(name, 1))).toEqual([1, 4, 2.5, 4]);
  });

  it('has the same percentiles when it was asked in between', () => {
    const values = Array.from({ length: 5_000 }, (_, index) => (index * 7_919) % 4_999);
    const asked = createSink('trend');
    for (const [index, value] of values.entries()) {
      asked.add(value);
      if (index % 613 === 0) asked.figure('p(99)', 1);
    }
    const sorted = values.toSorted((one, other) => one - other);
    for (const percent of [0, 1, 50, 90, 99, 99.9, 100]) {
      const position = (percent / 100) * (sorted.length - 1);
      const low = sorted[Math.floor(position)] ?? 0;
      const high = sorted[Math.ceil(position)] ?? 0;
      expect(asked.figure(`p(${percent})`, 1)).toBeCloseTo(low + (high - low) * (position - Math.floor(position)));
    }
  });

  it('is 0 everywhere without samples', () => {
    const sink = createSink('trend');
    expect(sink.isEmpty).toBe(true);
    expect(['avg', 'min', 'med', 'p(99)', 'count'].map((name) => sink.figure(name, 1))).toEqual([0, 0, 0, 0, 0]);
  });
});

describe('counter, gauge and rate', () => {
  it('counts and divides by the time', () => {
    const sink = sinkOf('counter', [1, 1, 3]);
    expect([sink.figure('count', 10), sink.figure('rate', 10)]).toEqual([5, 0.5]);
  });

  it('keeps the last, lowest and highest value', () => {
    const sink = sinkOf('gauge', [3, 9, 5]);
    expect(['value', 'min', 'max'].map((name) => sink.figure(name, 1))).toEqual([5, 3, 9]);
  });

  it('gives the share of what was not 0', () => {
    const sink = sinkOf('rate', [1, 0, 1, 1]);
    expect(['rate', 'passes', 'fails'].map((name) => sink.figure(name, 1))).toEqual([0.75, 3, 1]);
  });

  it('has no figures of another kind', () => {
    expect(sinkOf('counter', [1]).figure('p(99)', 1)).toBeUndefined();
    expect(sinkOf('rate', [1]).figure('count', 1)).toBeUndefined();
    expect(percentOf('p(101)')).toBeUndefined();
  });
});
