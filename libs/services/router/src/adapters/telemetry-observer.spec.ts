import { expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { reply } from '@mooring/scoring-stream';
import { call } from '@mooring/scoring-stream/testing';
import { registry, type SpanOptions, type Tracing } from '@mooring/telemetry';
import { DeploymentPool } from '../domain/deployment-pool.ts';
import { routing } from '../testing/fake-instance.ts';
import { createTelemetryObserver } from './telemetry-observer.ts';

const route = routing().deployments['luca'];
if (!route) throw new Error('no route');
const target = {
  endpoint: 'cars',
  endpointName: 'Cars',
  name: 'luca',
  route,
  pool: new DeploymentPool(),
  alike: false,
};
const live = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

function recorded(enabled: boolean) {
  const spans: { name: string; parent: string; options: SpanOptions | undefined }[] = [];
  const tracing: Tracing = {
    enabled,
    records: () => enabled,
    span: (name, parent, options) => {
      spans.push({ name, parent, options });
      return { traceparent: `child of ${parent}`, traceId: '', set: () => {}, end: () => {} };
    },
    shutdown: async () => {},
  };
  return { spans, observer: createTelemetryObserver(tracing) };
}

it("puts the router's span below the caller's and the mirror's into a trace of its own that links to it", () => {
  const { spans, observer } = recorded(true);
  observer.span(call({ traceparent: live }));
  observer.mirrorSpan(target, call({ traceparent: live }));
  expect(spans[0]).toMatchObject({ name: 'router', parent: live });
  expect(spans[1]).toMatchObject({ name: 'router mirror', parent: '', options: { links: [live] } });
});

it("passes the caller's trace on where nothing is exported, but never to a mirror", () => {
  const { spans, observer } = recorded(false);
  expect(observer.span(call({ traceparent: live })).traceparent).toBe(live);
  expect(observer.mirrorSpan(target, call({ traceparent: live })).traceparent).toBe('');
  expect(spans).toEqual([]);
});

it('counts picks, retries and refusals under the names of the platform; made-up names are no labels', async () => {
  const { observer } = recorded(false);
  observer.picked(target, 'weight');
  observer.answered(target, reply({ status: 200, retries: 2 }));
  observer.rejected(target, new PlatformError('resource_exhausted', 'QUEUE_FULL', 'full'));
  observer.rejected(undefined, new PlatformError('not_found', 'ENDPOINT_NOT_FOUND', 'no such endpoint'));
  observer.mirrorCompared(target, 'within', 5);
  const text = await registry.metrics();
  for (const line of [
    'router_picks_total{endpoint="Cars",deployment="luca",why="weight"} 1',
    'router_retries_total{endpoint="Cars",deployment="luca"} 2',
    'mooring_rejected_total{endpoint="Cars",deployment="luca",reason="queue_full"} 1',
    'mooring_rejected_total{endpoint="",deployment="",reason="endpoint_not_found"} 1',
    'mirror_compared_total{endpoint="Cars",deployment="luca",result="within"} 1',
  ]) {
    expect(text).toContain(line);
  }
});

it('counts a model run once, however many requests shared it, with its rows', async () => {
  const { observer } = recorded(false);
  const shared = { ...target, endpointName: 'Shared', pool: new DeploymentPool() };
  const from = (instanceId: string, batchId: string) => reply({ status: 200, instanceId, batchId, batchRows: 3 });
  for (const answer of [from('a', 'a-1'), from('a', 'a-1'), from('b', 'b-9'), from('a', 'a-1'), from('a', 'a-2')]) {
    observer.answered(shared, answer);
  }
  const text = await registry.metrics();
  expect(text).toContain('mooring_batch_executions_total{endpoint="Shared",deployment="luca"} 3');
  expect(text).toContain('mooring_batch_rows_sum{endpoint="Shared",deployment="luca"} 9');
});
