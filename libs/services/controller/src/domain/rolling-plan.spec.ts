import { describe, expect, it } from 'vitest';
import { planRoll, type ObservedInstance, type RollingPlan, type Wanted } from './rolling-plan.ts';

let clock = 0;
function instance(id: string, digest: string, phase: ObservedInstance['phase'], wasReady = phase !== 'starting') {
  return { id, digest, phase, wasReady, startedAtMs: clock++ };
}

function plan(
  wanted: Wanted | undefined,
  instances: ObservedInstance[],
  options: { fallback?: Wanted; blocked?: string } = {},
): RollingPlan {
  return planRoll({
    wanted,
    fallback: options.fallback,
    instances,
    mayStart: (digest) => digest !== options.blocked,
  });
}

const words = (made: RollingPlan): string[] =>
  made.actions.map((action) => (action.do === 'start' ? `start ${action.digest}` : `${action.do} ${action.id}`));

describe('planRoll', () => {
  it('starts all instances of a new deployment at once, and says which of how many', () => {
    const made = plan({ digest: 'a', count: 2 }, []);
    expect(made.actions).toEqual([
      { do: 'start', digest: 'a', number: 1, of: 2 },
      { do: 'start', digest: 'a', number: 2, of: 2 },
    ]);
    expect(made.settled).toBe(false);
  });

  it('loads at most four at the same time', () => {
    expect(words(plan({ digest: 'a', count: 9 }, []))).toHaveLength(4);
  });

  it('is settled when exactly the wanted instances serve', () => {
    const ready = [instance('1', 'a', 'ready'), instance('2', 'a', 'ready')];
    expect(plan({ digest: 'a', count: 2 }, ready)).toEqual({ actions: [], settled: true });
    expect(plan({ digest: 'a', count: 2 }, [...ready, instance('3', 'a', 'draining')]).settled).toBe(false);
  });

  it('starts one more than needed before it takes an old one away', () => {
    const old = [instance('1', 'a', 'ready'), instance('2', 'a', 'ready')];
    expect(words(plan({ digest: 'b', count: 2 }, old))).toEqual(['start b']);
    expect(words(plan({ digest: 'b', count: 2 }, [...old, instance('3', 'b', 'starting')]))).toEqual([]);
    expect(words(plan({ digest: 'b', count: 2 }, [...old, instance('3', 'b', 'ready')]))).toEqual(['drain 1']);
  });

  it('waits for the drained one to be gone before it starts the next', () => {
    const rolling = [instance('1', 'a', 'draining'), instance('2', 'a', 'ready'), instance('3', 'b', 'ready')];
    expect(words(plan({ digest: 'b', count: 2 }, rolling))).toEqual([]);
    expect(words(plan({ digest: 'b', count: 2 }, rolling.slice(1)))).toEqual(['start b']);
  });

  it.each([1, 2, 3, 5])('never has fewer than %i serving in a whole roll, and ends settled', (count) => {
    let instances = Array.from({ length: count }, (_, i) => instance(`old${i}`, 'a', 'ready'));
    for (let step = 0; step < 100; step++) {
      const made = plan({ digest: 'b', count }, instances, { fallback: { digest: 'a', count } });
      if (made.settled) break;
      instances = instances.filter((one) => one.phase !== 'draining');
      for (const one of instances) if (one.phase === 'starting') Object.assign(one, { phase: 'ready', wasReady: true });
      for (const action of made.actions) {
        if (action.do === 'start') instances.push(instance(`new${step}-${action.number}`, action.digest, 'starting'));
        else Object.assign(instances.find((one) => one.id === action.id) ?? {}, { phase: 'draining' });
      }
      expect(instances.filter((one) => one.phase === 'ready').length).toBeGreaterThanOrEqual(count);
      expect(instances.length).toBeLessThanOrEqual(count + 1);
    }
    expect(instances.map((one) => [one.digest, one.phase])).toEqual(
      Array.from({ length: count }, () => ['b', 'ready']),
    );
  });

  it('rolls down to fewer instances without a gap', () => {
    const old = ['1', '2', '3'].map((id) => instance(id, 'a', 'ready'));
    expect(words(plan({ digest: 'b', count: 1 }, old))).toEqual(['start b']);
    expect(words(plan({ digest: 'b', count: 1 }, [...old, instance('4', 'b', 'ready')]))).toEqual([
      'drain 1',
      'drain 2',
      'drain 3',
    ]);
  });

  it('takes surplus instances away, those that do not serve first, then the youngest', () => {
    const three = [instance('1', 'a', 'ready'), instance('2', 'a', 'unready'), instance('3', 'a', 'ready')];
    expect(words(plan({ digest: 'a', count: 1 }, three))).toEqual(['drain 2', 'drain 3']);
  });

  it('keeps old instances while the new spec cannot be started', () => {
    expect(plan({ digest: 'b', count: 1 }, [instance('1', 'a', 'ready')], { blocked: 'b' }).actions).toEqual([]);
  });

  it('starts the old spec again when its instance died before a new one serves', () => {
    const fallback = { digest: 'a', count: 1 };
    const starting = [instance('1', 'b', 'starting')];
    expect(words(plan({ digest: 'b', count: 1 }, starting, { fallback }))).toEqual(['start a']);
    expect(words(plan({ digest: 'b', count: 1 }, [instance('2', 'b', 'ready')], { fallback }))).toEqual([]);
  });

  it('goes back to the old spec: stops what never served, drains what did', () => {
    const mixed = [instance('1', 'a', 'ready'), instance('2', 'a', 'ready'), instance('3', 'b', 'starting')];
    expect(words(plan({ digest: 'a', count: 2 }, mixed))).toEqual(['stop 3']);
    const served = [instance('1', 'a', 'ready'), instance('2', 'a', 'ready'), instance('3', 'b', 'ready')];
    expect(words(plan({ digest: 'a', count: 2 }, served))).toEqual(['drain 3']);
  });

  it('replaces a broken old instance as soon as a new one serves', () => {
    const broken = [instance('1', 'a', 'unready'), instance('2', 'b', 'ready')];
    expect(words(plan({ digest: 'b', count: 1 }, broken))).toEqual(['drain 1']);
  });

  it('takes everything away when nothing is wanted', () => {
    const all = [instance('1', 'a', 'ready'), instance('2', 'a', 'starting'), instance('3', 'a', 'draining')];
    expect(words(plan(undefined, all))).toEqual(['drain 1', 'stop 2']);
    expect(plan(undefined, []).settled).toBe(true);
  });
});
