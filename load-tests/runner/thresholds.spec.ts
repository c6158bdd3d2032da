import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics/registry.ts';
import { evaluate, findAbort, parseThresholds } from './thresholds.ts';

function metricsWith(samples: Readonly<Record<string, readonly number[]>>): Metrics {
  const metrics = new Metrics();
  metrics.define('level', 'gauge');
  for (const [name, values] of Object.entries(samples)) {
    for (const value of values) metrics.addByName(name, value, { scenario: 'load' });
  }
  return metrics;
}

const hundred = Array.from({ length: 100 }, (_, index) => index + 1);

describe('thresholds', () => {
  const samples = { http_req_duration: hundred, http_reqs: [50, 50], checks: [1, 1, 1, 0], level: [3, 7] };

  it.each([
    ['http_req_duration', 'p(99)<99.5', true],
    ['http_req_duration', 'p(99)<99', false],
    ['http_req_duration', 'p(99.9) > 99.5', true],
    ['http_req_duration', 'avg<=50.5', true],
    ['http_req_duration', 'med==50.5', true],
    ['http_req_duration', 'min>=1', true],
    ['http_req_duration', 'max!=100', false],
    ['http_req_duration{scenario:load}', 'max<=100', true],
    ['http_reqs', 'count===100', true],
    ['http_reqs', 'rate>=10', true],
    ['http_reqs', 'rate>10', false],
    ['checks', 'rate>0.75', false],
    ['level', 'value==7', true],
  ])('%s: %s holds: %s', (metric, expression, ok) => {
    const metrics = metricsWith({});
    const thresholds = parseThresholds({ [metric]: [expression] }, metrics);
    for (const [name, values] of Object.entries(samples)) {
      for (const value of values) metrics.addByName(name, value, { scenario: 'load' });
    }
    evaluate(thresholds, 10_000, true);
    expect(thresholds[0]?.ok).toBe(ok);
  });

  it('tells all mistakes at once: unknown metrics, figures of another kind, expressions that are none', () => {
    const given = { nothing: ['rate>0'], checks: ['p(99)<1'], http_reqs: ['some'], http_req_duration: ['p(101)<1'] };
    expect(() => parseThresholds(given, metricsWith({}))).toThrow(
      [
        "thresholds: there is no metric 'nothing'; the script has to create it at its top level",
        "thresholds: checks: 'p(99)<1': a rate has rate; it has no 'p(99)'",
        "thresholds: http_reqs: 'some' is no threshold; write for example 'p(99)<500', 'rate>0.99' or 'count==0'",
        "thresholds: http_req_duration: 'p(101)<1': a trend has avg, min, max, med, p(N); it has no 'p(101)'",
      ].join('\n'),
    );
  });

  it('counts a metric without samples with 0 at the end, and not before', () => {
    const thresholds = parseThresholds({ checks: ['rate==1'] }, metricsWith({}));
    evaluate(thresholds, 1_000, false);
    expect(thresholds[0]?.ok).toBe(true);
    evaluate(thresholds, 1_000, true);
    expect(thresholds[0]?.ok).toBe(false);
  });

  it('ends a run early for abortOnFail only, and not before delayAbortEval', () => {
    const metrics = metricsWith({ checks: [0] });
    const plain = parseThresholds({ checks: ['rate==1'] }, metrics);
    expect(findAbort(plain, 60_000)).toBeUndefined();
    const aborting = parseThresholds(
      { checks: [{ threshold: 'rate==1', abortOnFail: true, delayAbortEval: '5s' }] },
      metrics,
    );
    expect(findAbort(aborting, 4_999)).toBeUndefined();
    expect(findAbort(aborting, 5_000)?.metric).toBe('checks');
  });
});
