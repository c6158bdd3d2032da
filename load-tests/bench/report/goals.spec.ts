import { describe, expect, it } from 'vitest';
import { workloads } from '../workloads/workloads.ts';
import { goals, goalsText, reached } from './goals.ts';
import type { Sample } from './samples.ts';

const sample = (workload: string, x: number, system: string, more: Partial<Sample> = {}): Sample => ({
  workload,
  system,
  x,
  repeat: 1,
  perSecond: 100,
  p50Ms: 1,
  p99Ms: 2,
  maxMs: 3,
  failed: 0,
  ...more,
});

describe('goals', () => {
  it('are about points that are measured without any options', () => {
    for (const { workload, x } of goals) {
      expect(workloads.find(({ name }) => name === workload)?.points, workload).toContain(x);
    }
  });

  it('are met by ratios within their bounds', () => {
    const samples = [sample('iris-grpc', 8, 'mooring'), sample('iris-grpc', 8, 'grpc-echo', { perSecond: 90 })];
    expect(reached(samples).map(({ goal, isMet }) => [goal.what, isMet])).toEqual([
      ['req/s of mooring / grpc-echo', true],
    ]);
    const slow = [samples[0] as Sample, sample('iris-grpc', 8, 'grpc-echo', { perSecond: 110 })];
    expect(reached(slow)[0]?.isMet).toBe(false);
    expect(goalsText(slow)).toMatch(/iris-grpc 8: req\/s of mooring \/ grpc-echo +>= 1 +0\.909 .*not met/);
  });

  it('are not met by a time that never came', () => {
    const never = sample('overload', 2, 'mooring', {
      more: { 'normal s': Number.NaN, unexplained: 0, 'no answer': 0 },
    });
    const found = reached([never]).filter(({ goal }) => /normal|without/.test(goal.what));
    expect(found.map(({ isMet }) => isMet)).toEqual([true, true, false]);
  });

  it('take the wait of a script off', () => {
    const [p50, p99] = reached([sample('script-wait20', 16, 'mooring', { p50Ms: 20.4, p99Ms: 25 })]);
    expect(p50).toMatchObject({ isMet: true });
    expect(p99).toMatchObject({ isMet: false });
    expect(p99?.value.median).toBeCloseTo(5, 9);
  });

  it('say nothing of what was not measured', () => expect(goalsText([])).toBe(''));
});
