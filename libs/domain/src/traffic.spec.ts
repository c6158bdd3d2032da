import { describe, expect, it } from 'vitest';
import { compileTraffic, kvKey, mirrorProblems, namesOfKvKey, pickDeployment, trafficProblems } from './index.ts';

const deployments = new Set(['blue', 'green']);

describe('pickDeployment', () => {
  const split = compileTraffic({ blue: 90, green: 10 });
  it.each([
    { point: 0, want: 'blue', why: 'the first point' },
    { point: 89.9, want: 'blue', why: 'just inside blue' },
    { point: 90, want: 'green', why: 'the first point past blue' },
    { point: 99.99, want: 'green', why: 'the last point' },
  ])('sends $point to $want ($why)', ({ point, want }) => {
    expect(pickDeployment(split, point)).toBe(want);
  });

  it('picks nothing when nothing has traffic', () => {
    expect(pickDeployment(compileTraffic({ blue: 0 }), 5)).toBeUndefined();
  });
});

describe('trafficProblems', () => {
  it.each([{}, { blue: 100 }, { blue: 90, green: 10 }, { blue: 0, green: 0 }])('accepts %j', (traffic) => {
    expect(trafficProblems(traffic, deployments)).toEqual([]);
  });

  it('reports every problem at once', () => {
    const problems = trafficProblems({ blue: 50.5, gren: 10 }, deployments);
    expect(problems.map((p) => p.path)).toEqual(['traffic.blue', 'traffic.gren', 'traffic']);
  });
});

describe('mirrorProblems', () => {
  it('refuses a mirror of a deployment with live traffic, and more than 50 %', () => {
    const problems = mirrorProblems({ blue: 20, green: 51 }, { blue: 100 }, deployments);
    expect(problems).toHaveLength(2);
  });
});

describe('kvKey', () => {
  it.each([
    ['cars', 'luca'],
    ['fern.model', '1.0.2'],
    ['Näme', '=2E'],
    ['a_b-c', '3'],
  ])('keeps %s/%s apart from any other', (a, b) => {
    expect(namesOfKvKey(kvKey(a, b))).toEqual([a.toLowerCase(), b.toLowerCase()]);
    expect(kvKey(a, b)).toMatch(/^[-/_=.a-zA-Z0-9]+$/);
  });
});
