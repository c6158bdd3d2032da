import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { HotCounter, HotGauge, HotHistogram } from './hot-metrics.ts';

const names = { help: 'A help text.', labelNames: ['endpoint', 'deployment'] as const };
const blue = { endpoint: 'cars', deployment: 'blue' };
const green = { endpoint: 'cars', deployment: 'green' };
const buckets = [0.001, 0.01, 0.1, 1];

it('reads as prom-client does, for any order of observations', async () => {
  const [hot, plain] = [new Registry(), new Registry()];
  const hotMetrics = {
    counter: new HotCounter({ name: 'a_total', ...names, registers: [hot] }),
    gauge: new HotGauge({ name: 'b', ...names, registers: [hot] }),
    histogram: new HotHistogram({ name: 'c_seconds', ...names, buckets, registers: [hot] }),
  };
  const labelNames = [...names.labelNames];
  const counter = new Counter({ name: 'a_total', ...names, labelNames, registers: [plain] });
  const gauge = new Gauge({ name: 'b', ...names, labelNames, registers: [plain] });
  const histogram = new Histogram({ name: 'c_seconds', ...names, labelNames, buckets, registers: [plain] });
  const values = [0, 0.001, 0.0010001, 0.05, 1, 2, -1, 0.5];
  for (const [index, value] of values.entries()) {
    const labels = index % 3 === 0 ? green : blue;
    hotMetrics.counter.at(labels).value += 1;
    hotMetrics.gauge.at(labels).value += 1;
    hotMetrics.histogram.at(labels).observe(value);
    counter.inc(labels);
    gauge.inc(labels);
    histogram.observe(labels, value);
    expect(await hot.metrics()).toBe(await plain.metrics());
  }
});

it('counts once what is added by series and by labels', async () => {
  const registry = new Registry();
  const counter = new HotCounter({ name: 'a_total', ...names, registers: [registry] });
  counter.inc(blue, 2);
  counter.at(blue).value += 3;
  expect(await registry.metrics()).toContain('a_total{endpoint="cars",deployment="blue"} 5');
  expect(await registry.metrics()).toContain('a_total{endpoint="cars",deployment="blue"} 5');
});

it('gives the same series for the same labels, and none twice for labels that only look alike together', () => {
  const histogram = new HotHistogram({ name: 'c_seconds', ...names, buckets, registers: [new Registry()] });
  expect(histogram.at(blue)).toBe(histogram.at({ ...blue }));
  expect(histogram.at({ endpoint: 'a', deployment: 'bc' })).not.toBe(histogram.at({ endpoint: 'ab', deployment: 'c' }));
});

it('is not spoilt by a value that is no number', async () => {
  const registry = new Registry();
  const histogram = new HotHistogram({ name: 'c_seconds', ...names, buckets, registers: [registry] });
  histogram.observe(blue, Number.NaN);
  histogram.observe(blue, 0.5);
  expect(await registry.metrics()).toContain('c_seconds_sum{endpoint="cars",deployment="blue"} 0.5');
});

it('adds up the series that count', () => {
  const histogram = new HotHistogram({ name: 'c_seconds', ...names, buckets, registers: [new Registry()] });
  histogram.observe(blue, 0.5);
  histogram.observe(green, 2);
  expect(histogram.total()).toBe(2.5);
  expect(histogram.total(({ deployment }) => deployment !== 'green')).toBe(0.5);
});
