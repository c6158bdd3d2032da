import { pino } from 'pino';
import { expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { reply } from '@mooring/scoring-stream';
import { KeptRequests, registry } from '@mooring/telemetry';
import { createServedRequests } from './served-requests.ts';

const context = {
  authorization: 'Bearer secret-key',
  pin: '',
  requestId: 'r1',
  traceparent: '',
  deadlineMs: 0,
  explain: false,
  signal: new AbortController().signal,
};

function recorder() {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'info' },
    { write: (text: string) => void lines.push(JSON.parse(text) as Record<string, unknown>) },
  );
  const tracing = { enabled: false, records: () => false, span: () => expect.unreachable(), shutdown: async () => {} };
  const requests = new KeptRequests({ kept: 10, failedKept: 10 });
  const kept = (id: string) => requests.find(id, 'edge-1');
  return { lines, kept, served: createServedRequests(log, tracing, requests) };
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

it('keeps each request to be explained by its own id and the id of its message, with parts that add up to the whole', () => {
  const { kept, served } = recorder();
  const request = served.begin('oip_grpc', context, 100);
  request.named('message-7');
  request.authorized();
  const timing = {
    totalUs: 900_000,
    queueUs: 100,
    batchWaitUs: 0,
    preprocessUs: 0,
    computeUs: 899_900,
    postprocessUs: 0,
  };
  const told = { deployment: 'luca', instanceId: 'luca-1', pick: 'pin', modelDigest: 'd0', placement: 'process' };
  request.routed('Cars', reply({ status: 200, ...told, timing }));
  request.end();
  const [record] = kept('message-7').found;
  expect(record).toMatchObject({
    requestId: 'r1',
    protocol: 'oip_grpc',
    endpoint: 'Cars',
    deployment: 'luca',
    instance: 'luca-1',
    status: 0,
    reason: '',
    rule: 'pin',
    modelDigest: 'd0',
    placement: 'process',
  });
  expect(record).not.toHaveProperty('trafficSlot');
  const sum = Object.values(record?.parts ?? {}).reduce((total, ms) => total + ms, 0);
  expect(Math.abs(sum - (record?.totalMs ?? 0))).toBeLessThan(0.0001);
  expect(kept('r1').found).toEqual([record]);
});

it('keeps failures apart, and callers that were not let in from both', () => {
  const { kept, served } = recorder();
  const failed = served.begin('oip_stream', { ...context, requestId: 'failed' }, 1);
  failed.authorized();
  failed.routed('Cars', reply({ errorCode: 'unavailable', errorReason: 'NO_INSTANCE', deployment: 'luca' }));
  failed.end(new PlatformError('unavailable', 'NO_INSTANCE', 'none'));
  const who = served.begin('oip_grpc', { ...context, requestId: 'who' }, 1);
  who.named('not an id\u0000');
  who.end(new PlatformError('unauthenticated', 'KEY_INVALID', 'no'));
  const { answered, failed: ofFailed, turnedAway } = kept('');
  expect([answered.count, ofFailed.count, turnedAway.count]).toEqual([0, 1, 1]);
  expect(kept('failed').found).toMatchObject([{ status: 14, reason: 'NO_INSTANCE', deployment: 'luca' }]);
  expect(kept('who').found).toMatchObject([{ status: 16, endpoint: '', clientRequestId: '' }]);
});
