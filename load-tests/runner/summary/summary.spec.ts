import { describe, expect, it } from 'vitest';
import { Checks } from '../checks.ts';
import { Metrics } from '../metrics/registry.ts';
import { evaluate, parseThresholds } from '../thresholds.ts';
import { summarise, toExport } from './data.ts';
import { formatBytes, formatTime } from './format.ts';
import { summaryText } from './text.ts';

function example() {
  const metrics = new Metrics();
  const checks = new Checks();
  const thresholds = parseThresholds({ http_req_duration: ['p(99)<15'], checks: ['rate>0.5'] }, metrics);
  for (const ms of [10, 20]) metrics.addByName('http_req_duration', ms, { expected_response: 'true' });
  for (const passed of [1, 1, 0]) metrics.addByName('checks', passed, {});
  metrics.addByName('data_sent', 2_500, {});
  checks.count('', 'is answered', true);
  checks.count('::outer::inner', 'is right', true);
  checks.count('::outer::inner', 'is right', false);
  evaluate(thresholds, 1_000, true);
  const options = { summaryTrendStats: ['med', 'p(99)'] };
  return {
    thresholds,
    data: summarise({ metrics, checks, thresholds, options, durationMs: 1_000, setupData: '{"a":1}' }),
  };
}

describe('summary', () => {
  it('has the metrics that have samples, with the trend figures that were asked for', () => {
    const { data } = example();
    expect(Object.keys(data.metrics).toSorted()).toEqual([
      'checks',
      'data_sent',
      'http_req_duration',
      'http_req_duration{expected_response:true}',
    ]);
    expect(data.metrics['http_req_duration']).toEqual({
      type: 'trend',
      contains: 'time',
      values: { med: 15, 'p(99)': 19.9 },
      thresholds: { 'p(99)<15': { ok: false } },
    });
    expect(data.setup_data).toEqual({ a: 1 });
  });

  it('keeps checks in their groups', () => {
    const { root_group: root } = example().data;
    expect(root.checks).toMatchObject([{ name: 'is answered', passes: 1, fails: 0 }]);
    expect(root.groups[0]?.groups[0]).toMatchObject({
      path: '::outer::inner',
      checks: [{ name: 'is right', path: '::outer::inner::is right', passes: 1, fails: 1 }],
    });
  });

  it('exports thresholds as k6 does: true when crossed', () => {
    expect(toExport(example().data)).toMatchObject({
      metrics: { http_req_duration: { med: 15, thresholds: { 'p(99)<15': true } }, data_sent: { count: 2_500 } },
    });
  });

  it('reads like that of k6', () => {
    const { data, thresholds } = example();
    const text = summaryText(data, thresholds);
    for (const line of [
      "    ✗ 'p(99)<15' p(99)=19.9ms",
      "    ✓ 'rate>0.5' rate=66.67%",
      '    ✓ is answered',
      '    █ outer',
      '        ✗ is right',
      '         ↳  50% — ✓ 1 / ✗ 1',
      '    http_req_duration.....................: med=15ms p(99)=19.9ms',
      '      { expected_response:true }..........: med=15ms p(99)=19.9ms',
      '    data_sent.............................: 2.5 kB   2.5 kB/s',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it.each([
    [0, '0s'],
    [0.123_4, '123.4µs'],
    [12.345, '12.35ms'],
    [1_500, '1.5s'],
    [61_000, '1m1s'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatTime(ms)).toBe(text);
  });

  it('writes bytes in units of 1000', () => {
    expect([formatBytes(999), formatBytes(1_000), formatBytes(2_340_000)]).toEqual(['999 B', '1 kB', '2.34 MB']);
  });
});
