import { describe, expect, it } from 'vitest';
import { Metrics } from './registry.ts';

describe('metrics', () => {
  it('gives a submetric the samples with its tags only', () => {
    const metrics = new Metrics();
    const sub = metrics.submetric('http_req_duration{scenario:load, status:200}');
    metrics.addByName('http_req_duration', 10, { scenario: 'load', status: '200' });
    metrics.addByName('http_req_duration', 20, { scenario: 'load', status: '503' });
    metrics.addByName('http_req_duration', 30, { status: '200' });
    expect(sub?.sink.figure('count', 1)).toBe(1);
    expect(metrics.get('http_req_duration')?.sink.figure('count', 1)).toBe(3);
  });

  it('takes tag values with colons and in quotes', () => {
    const metrics = new Metrics();
    const sub = metrics.submetric('http_reqs{url:"http://host:1/x"}');
    metrics.addByName('http_reqs', 1, { url: 'http://host:1/x' });
    expect(sub?.sink.figure('count', 1)).toBe(1);
  });

  it('knows no submetric of a metric that does not exist', () => {
    expect(new Metrics().submetric('nothing{a:b}')).toBeUndefined();
  });

  it('lets every virtual user define the same metric, but not another kind of that name', () => {
    const metrics = new Metrics();
    expect(metrics.define('waits', 'trend', 'time')).toBe(metrics.define('waits', 'trend', 'time'));
    expect(() => metrics.define('waits', 'counter')).toThrow("metric 'waits' exists already as a trend");
    expect(() => metrics.define('has spaces', 'counter')).toThrow(/is no metric name/);
  });
});
