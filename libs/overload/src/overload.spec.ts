import { describe, expect, it } from 'vitest';
import { GradientLimit, Lanes, Progress, RetryBudget, retryAfterOf } from './index.ts';

/** Simulates `workers` that each take `serviceMs` a call, offered a call every `everyMs` by callers who all wait. */
function serve(progress: Progress, workers: number, serviceMs: number, everyMs: number, untilMs: number, from = 0) {
  const waiting: number[] = [];
  const running: number[] = [];
  let arrival = from;
  let now = from;
  while (now < untilMs) {
    const end = running.length > 0 ? Math.min(...running) : Number.POSITIVE_INFINITY;
    now = Math.min(arrival, end);
    if (now === end) {
      running.splice(running.indexOf(end), 1);
      progress.noteServiceTime(serviceMs);
      progress.left(now, true);
    } else {
      progress.entered(now);
      waiting.push(now);
      arrival += everyMs;
    }
    while (running.length < workers && waiting.shift() !== undefined) running.push(now + serviceMs);
  }
  return { waiting: waiting.length, running: running.length };
}

describe('progress', () => {
  it.each([
    { workers: 1, parallel: 1, gap: 100 },
    { workers: 4, parallel: 4, gap: 25 },
    { workers: 1, parallel: 4, gap: 100 },
    { workers: 2, parallel: 16, gap: 50 },
  ])(
    'measures $workers workers that take 100 ms as one answer every $gap ms, whatever was configured',
    ({ workers, parallel, gap }) => {
      const progress = new Progress(parallel);
      const left = serve(progress, workers, 100, gap / 2, 6_000);
      expect(progress.open).toBe(left.waiting + left.running);
      expect(Math.abs(progress.gapMs / gap - 1)).toBeLessThan(0.05);
      expect(progress.answeredInMs(39)).toBeCloseTo(40 * progress.gapMs, 3);
    },
  );

  it('takes the answers of one batch as one observation', () => {
    const progress = new Progress(32);
    for (let call = 0; call < 64; call += 1) progress.entered(0);
    for (let batch = 1; batch <= 50; batch += 1) {
      for (let call = 0; call < 32; call += 1) progress.left(batch * 64, true);
      for (let call = 0; call < 32; call += 1) progress.entered(batch * 64);
    }
    expect(progress.gapMs).toBeGreaterThan(1.5);
    expect(progress.gapMs).toBeLessThan(2.5);
  });

  it('learns within seconds that a model got slower or faster', () => {
    const progress = new Progress(1);
    serve(progress, 1, 10, 8, 2_000);
    expect(progress.gapMs).toBeCloseTo(10, 0);
    const slower = new Progress(1);
    slower.entered(0);
    for (let t = 10; t <= 1_000; t += 10) {
      slower.entered(t);
      slower.left(t, true);
    }
    for (let t = 1_200; t <= 5_000; t += 200) {
      slower.entered(t);
      slower.left(t, true);
    }
    expect(slower.gapMs).toBeGreaterThan(150);
    for (let t = 5_010; t <= 8_000; t += 10) {
      slower.entered(t);
      slower.left(t, true);
    }
    expect(slower.gapMs).toBeLessThan(15);
  });

  it('calls a call hopeless only when it would wait and cannot be answered in its time', () => {
    const progress = new Progress(2);
    for (let call = 0; call < 4; call += 1) progress.entered(0);
    for (let t = 50; t <= 1_000; t += 50) {
      progress.left(t, true);
      progress.noteServiceTime(100);
      progress.entered(t);
    }
    expect(progress.gapMs).toBeCloseTo(50, 0);
    expect(progress.hopeless(200)).toBe(true);
    expect(progress.hopeless(300)).toBe(false);
    expect(progress.hopeless(10, 1)).toBe(false);
    expect(progress.hopeless(10, 2)).toBe(true);
  });

  it('trusts the forecast for a long line less: the model may get slower meanwhile', () => {
    const progress = new Progress(1);
    progress.noteServiceTime(10);
    expect(progress.answeredInMs(3)).toBe(40);
    expect(progress.hopeless(44, 3)).toBe(false);
    expect(progress.answeredInMs(79)).toBe(800);
    expect(progress.hopeless(1_000, 79)).toBe(true);
    expect(progress.hopeless(1_100, 79)).toBe(false);
  });

  it('has no opinion before it has seen anything', () => {
    const progress = new Progress(1);
    progress.entered(0);
    expect(progress.hopeless(1)).toBe(false);
    expect(retryAfterOf(progress.answeredInMs())).toBe(50);
  });

  it('does not take a call that gave up waiting for progress', () => {
    const progress = new Progress(1);
    for (let call = 0; call < 10; call += 1) progress.entered(0);
    for (let t = 1; t <= 9; t += 1) progress.left(t, false);
    progress.left(100, true);
    expect(progress.gapMs).toBeCloseTo(100, 0);
    expect(progress.open).toBe(0);
  });
});

describe('lanes', () => {
  const entry = (name: string, rank: number, bytes = 1) => ({ name, rank, bytes });

  it('gives first in, first out within a rank, and higher ranks first', () => {
    const lanes = new Lanes<ReturnType<typeof entry>>({ calls: 10, bytes: 100 });
    for (const [name, rank] of [
      ['copy', 2],
      ['batch 1', 1],
      ['live 1', 0],
      ['batch 2', 1],
      ['live 2', 0],
    ] as const) {
      lanes.push(entry(name, rank));
    }
    expect(lanes.ahead(0)).toBe(2);
    expect(lanes.ahead(1)).toBe(4);
    const order = Array.from({ length: 6 }, () => lanes.shift()?.name);
    expect(order).toEqual(['live 1', 'live 2', 'batch 1', 'batch 2', 'copy', undefined]);
    expect([lanes.size, lanes.bytes]).toEqual([0, 0]);
  });

  it('is bounded in calls and in bytes, but takes one entry of any size', () => {
    const lanes = new Lanes<ReturnType<typeof entry>>({ calls: 3, bytes: 100 });
    expect(lanes.full(1_000)).toBeUndefined();
    lanes.push(entry('huge', 0, 1_000));
    expect(lanes.full(1)).toBe('bytes');
    lanes.shift();
    for (const name of ['a', 'b', 'c']) lanes.push(entry(name, 0, 10));
    expect(lanes.full(1)).toBe('calls');
  });

  it('gives up the youngest of those that yield most, and only to what goes before it', () => {
    const lanes = new Lanes<ReturnType<typeof entry>>({ calls: 10, bytes: 100 });
    for (const one of [entry('b1', 1), entry('m1', 2), entry('m2', 2)]) lanes.push(one);
    expect(lanes.displace(2)).toBeUndefined();
    expect([lanes.displace(0)?.name, lanes.displace(1)?.name, lanes.displace(1)]).toEqual(['m2', 'm1', undefined]);
    expect(lanes.displace(0)?.name).toBe('b1');
  });

  it('lets go of 100,000 entries from the middle in no time', () => {
    const lanes = new Lanes<ReturnType<typeof entry>>({ calls: 1e6, bytes: 1e9 });
    const all = Array.from({ length: 100_000 }, (_, index) => entry(String(index), 0));
    for (const one of all) lanes.push(one);
    const from = performance.now();
    for (const one of all.toReversed()) lanes.remove(one);
    expect(performance.now() - from).toBeLessThan(1_000);
    expect(lanes.remove(all[0] as (typeof all)[0])).toBe(false);
    expect([lanes.size, lanes.bytes]).toEqual([0, 0]);
  });
});

describe('the gradient limit', () => {
  /** `seconds` of calls that take `latencyMs`, one every 5 ms, with `open` calls at the instance. */
  function run(limit: GradientLimit, latencyMs: number, seconds: number, from: number, open = 32): number {
    let now = from;
    for (; now < from + seconds * 1_000; now += 5) limit.note(latencyMs, open, 32, now);
    return now;
  }

  it('starts at its bound and stays there while calls take as long as ever', () => {
    const limit = new GradientLimit();
    expect(limit.current(32)).toBe(32);
    run(limit, 20, 5, 0);
    expect(limit.current(32)).toBe(32);
    expect(limit.current(8)).toBe(8);
  });

  it('shrinks within a second when calls take five times as long, never below 1, and grows back afterwards', () => {
    const limit = new GradientLimit();
    let now = run(limit, 20, 5, 0);
    now = run(limit, 100, 1, now);
    expect(limit.current(32)).toBeLessThanOrEqual(8);
    now = run(limit, 2_000, 2, now);
    expect(limit.current(32)).toBe(1);
    now = run(limit, 20, 3, now, 4);
    run(limit, 20, 3, now);
    expect(limit.current(32)).toBe(32);
  });

  it('takes no notice of changes within its tolerance, or of times that are short anyway', () => {
    const limit = new GradientLimit();
    let now = run(limit, 20, 5, 0);
    now = run(limit, 35, 5, now);
    expect(limit.current(32)).toBe(32);
    const quick = new GradientLimit();
    now = run(quick, 0.5, 5, 0);
    run(quick, 9, 5, now);
    expect(quick.current(32)).toBe(32);
  });

  it('takes a slow time that lasts for the new usual', () => {
    const limit = new GradientLimit();
    let now = run(limit, 20, 5, 0);
    now = run(limit, 60, 2, now);
    expect(limit.current(32)).toBeLessThan(32);
    run(limit, 60, 60, now);
    expect(limit.current(32)).toBe(32);
  });
});

describe('the retry budget', () => {
  it('always has a few retries for a quiet time', () => {
    const budget = new RetryBudget();
    expect(Array.from({ length: 11 }, () => budget.spend())).toEqual([...Array<boolean>(10).fill(true), false]);
  });

  it('allows a tenth of requests when every one of 100,000 would be retried', () => {
    const budget = new RetryBudget();
    let retries = 0;
    for (let request = 0; request < 100_000; request += 1) {
      budget.request();
      if (budget.spend()) retries += 1;
    }
    expect(retries).toBeGreaterThan(9_900);
    expect(retries).toBeLessThanOrEqual(10_010);
  });
});

describe('retry after', () => {
  it.each([
    [0, 50],
    [Number.NaN, 50],
    [120.2, 121],
    [1e9, 30_000],
    [Number.POSITIVE_INFINITY, 30_000],
  ])('turns an estimate of %s ms into %s', (estimate, told) => {
    expect(retryAfterOf(estimate)).toBe(told);
  });
});
