import { pino } from 'pino';
import { expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { reply } from '@mooring/scoring-stream';
import { registry } from '@mooring/telemetry';
import { createServedRequests } from './served-requests.ts';

const context = {
  authorization: 'Bearer secret-key',
  pin: '',
  requestId: 'r1',
  traceparent: '',
  deadlineMs: 0,
  signal: new AbortController().signal,
};

function recorder() {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'info' },
    { write: (text: string) => void lines.push(JSON.parse(text) as Record<string, unknown>) },
  );
  const tracing = { enabled: false, records: () => false, span: () => expect.unreachable(), shutdown: async () => {} };
  return { lines, served: createServedRequests(log, tracing) };
}

it('writes one line whose stages add up to the total, without key or payload', async () => {
  const { lines, served } = recorder();
  const request = served.begin('oip_grpc', context, 100);
  const until = performance.now() + 3;
  while (performance.now() < until);
  const timing = {
    totalUs: 1_000,
    queueUs: 100,
    batchWaitUs: 0,
    preprocessUs: 200,
    computeUs: 600,
    postprocessUs: 100,
  };
  request.routed(
    'Cars',
    reply({ status: 200, deployment: 'luca', routerUs: 50, timing, body: Buffer.from('payload') }),
  );
  request.end();
  expect(lines).toMatchObject([
    { endpoint: 'Cars', deployment: 'luca', protocol: 'oip_grpc', code: 'ok', bytesIn: 100, bytesOut: 7 },
  ]);
  const { stages, totalMs } = lines[0] as { stages: Record<string, number>; totalMs: number };
  expect(Object.values(stages).reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(totalMs, 1);
  expect(JSON.stringify(lines)).not.toMatch(/secret|payload/);
  expect(await registry.metrics()).toContain(
    'mooring_stage_duration_seconds_sum{endpoint="Cars",deployment="luca",stage="compute"} 0.0006',
  );
});

it('counts a failure by its gRPC status and reason; a name that does not exist is no label', async () => {
  const { lines, served } = recorder();
  const request = served.begin('oip_stream', context, 1);
  request.end(new PlatformError('not_found', 'ENDPOINT_NOT_FOUND', 'no such endpoint'));
  expect(lines).toMatchObject([{ code: 'not_found', reason: 'ENDPOINT_NOT_FOUND' }]);
  const text = await registry.metrics();
  expect(text).toContain(
    'mooring_requests_total{endpoint="",deployment="",protocol="oip_stream",code="5",reason="ENDPOINT_NOT_FOUND"} 1',
  );
});
