import { describe, expect, it } from 'vitest';
import { resolveOptions } from './options.ts';

describe('options', () => {
  it('runs the default function once when the script asks for nothing', () => {
    expect(resolveOptions(undefined).scenarios).toMatchObject({
      default: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'default', gracefulStop: 30_000 },
    });
  });

  it.each([
    [
      { vus: 3, duration: '5s' },
      { executor: 'constant-vus', vus: 3, duration: 5_000 },
    ],
    [
      { vus: 2, iterations: 10 },
      { executor: 'shared-iterations', vus: 2, iterations: 10 },
    ],
    [
      { iterations: 4, duration: '1m' },
      { executor: 'shared-iterations', vus: 1, maxDuration: 60_000 },
    ],
    [{ stages: [{ duration: '5s', target: 4 }] }, { executor: 'ramping-vus', startVUs: 1 }],
  ])('makes a scenario of %o', (given, scenario) => {
    expect(resolveOptions(given).scenarios['default']).toMatchObject(scenario);
  });

  it('lets the command line replace the scenarios by a duration, with the users that it names', () => {
    const script = {
      scenarios: { load: { executor: 'constant-vus', duration: '1h' } },
      thresholds: { checks: ['rate==1'] },
    };
    const resolved = resolveOptions(script, { duration: '2s', vus: 7, tags: { run: 'a' } });
    expect(resolved.scenarios).toMatchObject({ default: { executor: 'constant-vus', vus: 7, duration: 2_000 } });
    expect(resolved.thresholds).toEqual({ checks: ['rate==1'] });
    expect(resolved.tags).toEqual({ run: 'a' });
  });

  it('refuses --vus alone for a script with scenarios, where it would do nothing', () => {
    const script = { scenarios: { load: { executor: 'constant-vus', duration: '1h' } } };
    expect(() => resolveOptions(script, { vus: 7 })).toThrow(/--vus: .* give --duration or --iterations as well/);
  });

  it('names every option that it does not know or cannot read', () => {
    const script = { rps: 5, scenarios: { load: { executor: 'constant-vus', duration: 'soon', wait: 1 } } };
    expect(() => resolveOptions(script)).toThrow(/the stand-in runner has no 'rps'/);
    expect(() => resolveOptions(script)).toThrow(/options.scenarios.load.duration: 'soon' is not a duration/);
    expect(() => resolveOptions(script)).toThrow(/options.scenarios.load: the stand-in runner has no 'wait'/);
  });

  it('refuses scenarios beside their shortcuts', () => {
    const script = { vus: 1, duration: '1s', scenarios: { load: { executor: 'constant-vus', duration: '1s' } } };
    expect(() => resolveOptions(script)).toThrow(/either scenarios or vus/);
  });
});
