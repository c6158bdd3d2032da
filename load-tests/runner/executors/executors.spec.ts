import { describe, expect, it } from 'vitest';
import { resolveOptions, type Scenario } from '../options.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FakeVu, type Started } from '../testing/fake-vu.ts';
import { createExecutor } from './index.ts';

interface Setup {
  clock: FakeClock;
  stop: AbortController;
  started: Started[];
  vus: FakeVu[];
  drops: number[];
  added: number;
  isDone: boolean;
}

/** Begins a scenario whose iterations take `takesMs`; its time is moved by the spec. */
function begin(scenario: object, takesMs: number): Setup {
  const clock = new FakeClock();
  const stop = new AbortController();
  const setup: Setup = { clock, stop, started: [], vus: [], drops: [], added: 0, isDone: false };
  const options = resolveOptions({ scenarios: { main: scenario } }).scenarios['main'] as Scenario;
  const makeVu = (): FakeVu => {
    const vu = new FakeVu(setup.vus.length + 1, clock, takesMs, setup.started);
    setup.vus.push(vu);
    return vu;
  };
  const executor = createExecutor(options, {
    clock,
    stop: stop.signal,
    addVu: async () => {
      setup.added += 1;
      await clock.wait(5);
      return makeVu();
    },
    dropped: () => setup.drops.push(clock.now()),
  });
  const initial = Array.from({ length: executor.initialVus }, makeVu);
  void executor.run(initial).then(() => (setup.isDone = true));
  return setup;
}

const completed = ({ vus }: Setup): number => vus.reduce((sum, vu) => sum + vu.completed, 0);
const interruptions = ({ vus }: Setup): number => vus.reduce((sum, vu) => sum + vu.interruptions, 0);

describe('constant-arrival-rate', () => {
  const scenario = { executor: 'constant-arrival-rate', rate: 10, duration: '1s', preAllocatedVUs: 5 };

  it('starts iterations on schedule though earlier ones have not ended', async () => {
    const run = begin(scenario, 250);
    await run.clock.advance(999);
    expect(run.started.map(({ intendedMs }) => intendedMs)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect(run.started.every(({ atMs, intendedMs }) => Math.abs(atMs - intendedMs) <= 0.5)).toBe(true);
    expect(run.drops).toEqual([]);
  });

  it('drops and counts what finds no free user, and never puts it off', async () => {
    const run = begin({ ...scenario, preAllocatedVUs: 1 }, 250);
    await run.clock.advance(2_000);
    expect(run.started.map(({ intendedMs }) => intendedMs)).toEqual([0, 300, 600, 900]);
    expect(run.drops).toHaveLength(6);
    expect(run.added).toBe(0);
  });

  it('makes more users, one at a time, up to maxVUs', async () => {
    const run = begin({ ...scenario, preAllocatedVUs: 0, maxVUs: 2 }, 10_000);
    await run.clock.advance(1_000);
    expect(run.added).toBe(2);
    expect(run.started).toHaveLength(2);
    expect(run.drops).toHaveLength(8);
  });

  it('tells an iteration when it was due, not when the generator got round to it', async () => {
    const run = begin({ ...scenario, rate: 1_000, duration: '10ms' }, 1);
    await run.clock.advance(0);
    run.clock.stall(9);
    await run.clock.advance(0);
    expect(run.started.map(({ intendedMs }) => intendedMs)).toEqual([0, 1, 2, 3, 4]);
    expect(run.started.map(({ atMs }) => atMs)).toEqual([0, 9, 9, 9, 9]);
    expect(run.drops).toHaveLength(5);
  });

  it('lasts for its duration even when all iterations end early', async () => {
    const run = begin({ ...scenario, rate: 1 }, 10);
    await run.clock.advance(999);
    expect(run.isDone).toBe(false);
    await run.clock.advance(2);
    expect(run.isDone).toBe(true);
  });

  it('interrupts what is not done when gracefulStop is over', async () => {
    const run = begin({ ...scenario, rate: 2, gracefulStop: '3s' }, 60_000);
    await run.clock.advance(3_999);
    expect(interruptions(run)).toBe(0);
    await run.clock.advance(2);
    expect(interruptions(run)).toBe(2);
    expect(run.isDone).toBe(true);
  });
});

describe('ramping-arrival-rate', () => {
  it('starts as many as the area below the rate', async () => {
    const run = begin(
      { executor: 'ramping-arrival-rate', preAllocatedVUs: 10, stages: [{ target: 20, duration: '2s' }] },
      1,
    );
    await run.clock.advance(2_100);
    expect(run.started).toHaveLength(20);
    expect(run.isDone).toBe(true);
  });
});

describe('constant-vus', () => {
  const scenario = { executor: 'constant-vus', vus: 2, duration: '1s', gracefulStop: '500ms' };

  it('lets each user begin its next iteration when its last has ended', async () => {
    const run = begin(scenario, 300);
    await run.clock.advance(2_000);
    expect(run.started.map(({ atMs }) => atMs)).toEqual([0, 0, 300, 300, 600, 600, 900, 900]);
    expect(completed(run)).toBe(8);
    expect(run.isDone).toBe(true);
  });

  it('lets iterations end within gracefulStop, then interrupts them', async () => {
    const run = begin(scenario, 10_000);
    await run.clock.advance(1_499);
    expect(run.isDone).toBe(false);
    await run.clock.advance(2);
    expect(interruptions(run)).toBe(2);
    expect(run.isDone).toBe(true);
  });

  it('ends at once when the run stops', async () => {
    const run = begin(scenario, 10_000);
    await run.clock.advance(100);
    run.stop.abort();
    await run.clock.advance(0);
    expect(interruptions(run)).toBe(2);
    expect(run.isDone).toBe(true);
  });
});

describe('counted iterations', () => {
  it('gives every user its own number of iterations', async () => {
    const run = begin({ executor: 'per-vu-iterations', vus: 3, iterations: 4 }, 10);
    await run.clock.advance(1_000);
    expect(run.vus.map((vu) => vu.completed)).toEqual([4, 4, 4]);
    expect(run.isDone).toBe(true);
  });

  it('shares a number of iterations among all users', async () => {
    const run = begin({ executor: 'shared-iterations', vus: 3, iterations: 10 }, 10);
    await run.clock.advance(1_000);
    expect(completed(run)).toBe(10);
  });

  it('begins nothing new after maxDuration', async () => {
    const run = begin({ executor: 'shared-iterations', vus: 1, iterations: 100, maxDuration: '1s' }, 300);
    await run.clock.advance(2_000);
    expect(completed(run)).toBe(4);
    expect(run.isDone).toBe(true);
  });
});

describe('ramping-vus', () => {
  const stages = [
    { target: 2, duration: '1s' },
    { target: 0, duration: '1s' },
  ];

  it('has as many users looping as the stages say', async () => {
    const run = begin({ executor: 'ramping-vus', startVUs: 0, stages }, 100);
    await run.clock.advance(3_000);
    const startsOf = (vu: number): number[] => run.started.filter((one) => one.vu === vu).map(({ atMs }) => atMs);
    expect(startsOf(1)[0]).toBe(500);
    expect(startsOf(2)[0]).toBe(1_000);
    expect(startsOf(2).at(-1)).toBeLessThan(1_500);
    expect(startsOf(1).at(-1)).toBeLessThan(2_000);
    expect(run.isDone).toBe(true);
  });

  it('interrupts a user that leaves when gracefulRampDown is over', async () => {
    const run = begin({ executor: 'ramping-vus', startVUs: 0, stages, gracefulRampDown: '200ms' }, 60_000);
    await run.clock.advance(1_699);
    expect(interruptions(run)).toBe(0);
    await run.clock.advance(2);
    expect(run.vus.map((vu) => vu.interruptions)).toEqual([0, 1]);
  });
});
