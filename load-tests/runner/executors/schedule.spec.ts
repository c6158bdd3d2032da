import { describe, expect, it } from 'vitest';
import { constantArrivals, rampingArrivals, vuSteps } from './schedule.ts';

describe('constant arrivals', () => {
  it('starts the first at once and the rest evenly, none at the end', () => {
    expect([...constantArrivals(4, 1_000, 1_000)]).toEqual([0, 250, 500, 750]);
  });

  it('counts the rate per time unit', () => {
    expect([...constantArrivals(30, 60_000, 6_000)]).toEqual([0, 2_000, 4_000]);
  });

  it('loses none to rounding: 0.1 s at 30/s are 3', () => {
    expect([...constantArrivals(30, 1_000, 100)]).toHaveLength(3);
  });
});

describe('ramping arrivals', () => {
  it.each([
    { startRate: 0, stages: [{ durationMs: 10_000, target: 100 }], count: 500 },
    { startRate: 100, stages: [{ durationMs: 10_000, target: 0 }], count: 500 },
    { startRate: 50, stages: [{ durationMs: 2_000, target: 50 }], count: 100 },
    {
      startRate: 0,
      stages: [
        { durationMs: 1_000, target: 20 },
        { durationMs: 0, target: 100 },
        { durationMs: 1_000, target: 100 },
        { durationMs: 1_000, target: 0 },
      ],
      count: 10 + 100 + 50,
    },
  ])('starts as many as the mean rates promise: $count', ({ startRate, stages, count }) => {
    expect([...rampingArrivals(startRate, 1_000, stages)]).toHaveLength(count);
  });

  it('is evenly spaced where the rate stays the same', () => {
    const times = [...rampingArrivals(10, 1_000, [{ durationMs: 500, target: 10 }])];
    expect(times.map(Math.round)).toEqual([100, 200, 300, 400, 500]);
  });

  it('is denser the higher the rate, and never goes back in time', () => {
    const times = [...rampingArrivals(0, 1_000, [{ durationMs: 10_000, target: 100 }])];
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps.every((gap) => gap > 0)).toBe(true);
    // Half of the area below the ramp lies in its last 29 %: 10 s * sqrt(1/2).
    expect(times[249]).toBeCloseTo(7_071, 0);
    expect(gaps.at(-1)).toBeCloseTo(10, 0);
  });

  it('starts nothing while the rate is 0', () => {
    expect([...rampingArrivals(0, 1_000, [{ durationMs: 5_000, target: 0 }])]).toEqual([]);
  });
});

describe('steps of virtual users', () => {
  it('moves by one user at a time, evenly', () => {
    expect(
      vuSteps(0, [
        { durationMs: 1_000, target: 2 },
        { durationMs: 100, target: 2 },
        { durationMs: 1_000, target: 0 },
      ]),
    ).toEqual([
      { atMs: 0, vus: 0 },
      { atMs: 500, vus: 1 },
      { atMs: 1_000, vus: 2 },
      { atMs: 1_600, vus: 1 },
      { atMs: 2_100, vus: 0 },
    ]);
  });

  it('jumps where a stage takes no time', () => {
    expect(vuSteps(1, [{ durationMs: 0, target: 50 }])).toEqual([
      { atMs: 0, vus: 1 },
      { atMs: 0, vus: 50 },
    ]);
  });
});
