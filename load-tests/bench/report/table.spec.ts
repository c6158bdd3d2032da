import { describe, expect, it } from 'vitest';
import { workloadNamed } from '../workloads/workloads.ts';
import { workloadReport } from './report.ts';
import type { Sample } from './samples.ts';
import { figure, short, textTable } from './table.ts';

describe('figure', () => {
  it.each([
    [12_345.6, '12346'],
    [45.67, '45.7'],
    [1.234, '1.23'],
    [0.01234, '0.012'],
    [0, '0'],
    [Number.NaN, '-'],
    [undefined, '-'],
  ])('writes %d as %s', (value, text) => expect(figure(value)).toBe(text));
});

describe('short', () => {
  it.each([
    [8, '8'],
    [1_000, '1k'],
    [10_000_000, '10M'],
    [0.5, '0.5'],
  ])('writes %d as %s', (value, text) => expect(short(value)).toBe(text));
});

describe('textTable', () => {
  it('lines columns up', () => {
    expect(
      textTable(
        ['a', 'bb'],
        [
          ['long', '1'],
          ['x', '22'],
        ],
      ),
    ).toBe('a     bb\nlong   1\nx     22\n');
  });
});

describe('workloadReport', () => {
  const sample = (system: string, repeat: number, more: Partial<Sample>): Sample => ({
    workload: 'iris-rest',
    system,
    x: 8,
    repeat,
    perSecond: 1_000,
    p50Ms: 1,
    p99Ms: 2,
    maxMs: 3,
    failed: 0,
    ...more,
  });
  const samples = [
    sample('mooring', 1, { perSecond: 500, cpuUs: 50 }),
    sample('node-echo', 1, { cpuUs: 25 }),
    sample('mooring', 2, { perSecond: 700, failed: 3 }),
    sample('node-echo', 2, {}),
  ];

  it('has a row for each system, the fastest first, with its ratio to each reference and its spread', () => {
    const lines = workloadReport(workloadNamed('iris-rest'), samples).split('\n');
    expect(lines[2]).toBe('8 in flight, medians of 2');
    expect(lines[4]).toMatch(/^node-echo +1000 +1.00 +2.00 +25.0 +0 +- +- +-$/);
    expect(lines[5]).toMatch(/^mooring +600 +1.00 +2.00 +50.0 +3 +0.600 \(0.500..0.700\) +2.00 +1.00$/);
  });

  it('shows what a path adds to a wait', () => {
    const waits = [sample('mooring', 1, { workload: 'script-wait20', p50Ms: 20.5, p99Ms: 22 })];
    const text = workloadReport(workloadNamed('script-wait20'), waits);
    expect(text).toMatch(/added p50 +added p99/);
    expect(text).toMatch(/mooring +1000 +20.5 +22.0 +- +0.500 +2.00/);
  });

  it('says nothing of a workload that was not measured', () => {
    expect(workloadReport(workloadNamed('iris-grpc'), samples)).toBe('');
  });
});
