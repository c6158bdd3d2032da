import { formatDuration } from '../duration.ts';
import type { ScenarioOf } from '../options.ts';
import { endInTime, type Executor, type ExecutorHost, type Vu } from './executor.ts';

/** Each virtual user begins the next iteration when its last has ended: a closed model. */
async function loop(vu: Vu, more: () => boolean, { clock, stop }: ExecutorHost): Promise<void> {
  while (!stop.aborted && more()) {
    await vu.iterate(clock.now());
    await clock.turn();
  }
}

export function constantVus(scenario: ScenarioOf<'constant-vus'>, host: ExecutorHost): Executor {
  const { vus: initialVus, duration: durationMs, gracefulStop } = scenario;
  return {
    initialVus,
    maxVus: initialVus,
    durationMs,
    about: `${initialVus} looping VUs for ${formatDuration(durationMs)}`,
    run(vus) {
      const endsAt = host.clock.now() + durationMs;
      const work = vus.map((vu) => loop(vu, () => host.clock.now() < endsAt, host));
      return endInTime(Promise.all(work), vus, durationMs + gracefulStop, host);
    },
  };
}

export function perVuIterations(scenario: ScenarioOf<'per-vu-iterations'>, host: ExecutorHost): Executor {
  const { iterations } = scenario;
  const about = `${iterations} iterations for each of ${scenario.vus} VUs`;
  return countedIterations(scenario, about, host, () => {
    let left = iterations;
    return () => left-- > 0;
  });
}

export function sharedIterations(scenario: ScenarioOf<'shared-iterations'>, host: ExecutorHost): Executor {
  let left = scenario.iterations;
  const take = (): boolean => left-- > 0;
  return countedIterations(scenario, `${left} iterations shared among ${scenario.vus} VUs`, host, () => take);
}

/** `ticketsOf` is called once a virtual user and returns whether there is one more iteration for it. */
function countedIterations(
  scenario: ScenarioOf<'per-vu-iterations' | 'shared-iterations'>,
  about: string,
  host: ExecutorHost,
  ticketsOf: () => () => boolean,
): Executor {
  const { vus: initialVus, maxDuration: durationMs, gracefulStop } = scenario;
  return {
    initialVus,
    maxVus: initialVus,
    durationMs,
    about: `${about} (maxDuration: ${formatDuration(durationMs)})`,
    run(vus) {
      const endsAt = host.clock.now() + durationMs;
      const work = vus.map((vu) => {
        const take = ticketsOf();
        return loop(vu, () => host.clock.now() < endsAt && take(), host);
      });
      return endInTime(Promise.all(work), vus, durationMs + gracefulStop, host);
    },
  };
}
