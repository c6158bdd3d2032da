import { describe, expect, it } from 'vitest';
import { startTraceCollector } from '@mooring/testing';
import { metrics, parseTraceparent, registry, startTracing } from './index.ts';

describe('tracing', () => {
  it('costs nothing and passes nothing on when no exporter is named', async () => {
    const tracing = await startTracing('spec', {});
    const span = tracing.span('gateway', '');
    expect(tracing.enabled).toBe(false);
    expect(tracing.span('router', span.traceparent)).toBe(span);
  });

  it('exports one trace across steps, and links a copy to it', async () => {
    const collector = await startTraceCollector();
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url;
    const tracing = await startTracing('spec', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    const gateway = tracing.span('gateway', '', { kind: 'server' });
    const router = tracing.span('router', gateway.traceparent);
    const mirror = tracing.span('mirror', '', { links: [gateway.traceparent] });
    router.end();
    mirror.end({ reason: 'INSTANCE_LOST' });
    gateway.end();
    await tracing.shutdown();
    collector.close();
    const byName = new Map(collector.spans.map((span) => [span.name, span]));
    expect(byName.get('router')?.traceId).toBe(gateway.traceId);
    expect(byName.get('router')?.parentSpanId).toBe(byName.get('gateway')?.spanId);
    expect(byName.get('mirror')?.traceId).not.toBe(gateway.traceId);
    expect(byName.get('mirror')?.links?.[0]?.traceId).toBe(gateway.traceId);
  });

  it('makes no span of a trace that is not sampled, and tells those who work for it', async () => {
    const tracing = await startTracing('spec', {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });
    const gateway = tracing.span('gateway', '');
    expect(gateway.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(parseTraceparent(gateway.traceparent)?.traceFlags).toBe(0);
    expect(gateway.traceId).toBe('');
    expect(tracing.span('gateway', '').traceparent).not.toBe(gateway.traceparent);
    expect(tracing.records(gateway.traceparent)).toBe(false);
    expect(tracing.span('router', gateway.traceparent).traceparent).toBe(gateway.traceparent);
    const callers = `00-${'a'.repeat(32)}-${'1'.repeat(16)}`;
    expect(tracing.span('gateway', `${callers}-00`).traceId).toBe('a'.repeat(32));
    expect(tracing.records(`${callers}-01`)).toBe(true);
    expect(tracing.span('gateway', `${callers}-01`).traceparent).toMatch(/^00-a{32}-(?!1{16})[0-9a-f]{16}-01$/);
  });

  it('samples the share of new traces that it is told to', async () => {
    const tracing = await startTracing('spec', {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.5',
    });
    const spans = Array.from({ length: 2_000 }, () => tracing.span('gateway', ''));
    const sampled = spans.filter(({ traceparent }) => tracing.records(traceparent)).length;
    expect(sampled).toBeGreaterThan(850);
    expect(sampled).toBeLessThan(1_150);
  });

  it('leaves other samplers to the SDK', async () => {
    const tracing = await startTracing('spec', {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_TRACES_SAMPLER: 'traceidratio',
    });
    expect(tracing.records(`00-${'a'.repeat(32)}-${'1'.repeat(16)}-00`)).toBe(true);
  });

  it.each([
    '',
    'x',
    '00-0-0-01',
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'A'.repeat(32)}-${'1'.repeat(16)}-01`,
  ])('takes %j for no traceparent', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});

describe('metrics', () => {
  it('come out in the Prometheus text format with their labels', async () => {
    metrics.picks.inc({ endpoint: 'cars', deployment: 'luca', why: 'weight' });
    expect(await registry.metrics()).toContain('router_picks_total{endpoint="cars",deployment="luca",why="weight"} 1');
  });
});
