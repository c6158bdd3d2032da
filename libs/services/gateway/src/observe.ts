import { metrics } from '@mooring/telemetry';
import { boundary } from '@mooring/errors';
import type { AccessLog } from './access-log.ts';
import { stageNames, stageTimes, type StageTimes } from './domain/stage-times.ts';
import type { Exchange } from './exchange.ts';

/** Names of the stages as labels: Prometheus has its own customs. */
const stageLabels: Readonly<Record<keyof StageTimes, string>> = {
  read: 'read',
  auth: 'auth',
  route: 'route',
  transport: 'transport',
  queue: 'queue',
  batchWait: 'batch_wait',
  preprocess: 'preprocess',
  compute: 'compute',
  postprocess: 'postprocess',
  write: 'write',
};

/** Records one finished request: metrics, span and access line. Called after the last byte is out. */
export function observe(exchange: Exchange, accessLog: AccessLog): void {
  exchange.marks.ended = performance.now();
  const status = exchange.callerGone && exchange.status === 0 ? boundary('cancelled').http : exchange.status;
  const stages = stageTimes(exchange.marks, exchange.reply);
  const totalMs = exchange.marks.ended - exchange.marks.began;
  count(exchange, status, stages, totalMs);
  exchange.span?.set({ 'http.response.status_code': status, 'mooring.request_id': exchange.requestId });
  exchange.span?.set({
    'mooring.endpoint': exchange.endpoint?.name ?? '',
    'mooring.deployment': exchange.reply?.deployment ?? '',
  });
  exchange.span?.end(
    status >= 500 || exchange.callerGone ? { reason: reasonOf(exchange) || String(status) } : undefined,
  );
  accessLog.write(accessLine(exchange, status, stages, totalMs));
}

function reasonOf({ error, callerGone }: Exchange): string {
  return error?.reason ?? (callerGone ? 'CALLER_GONE' : '');
}

function protocolOf({ route, dialect }: Exchange): string {
  if (route?.action === 'score' || route?.action === 'swagger') return 'score';
  return dialect === 'oip' ? 'oip_rest' : 'other';
}

function count(exchange: Exchange, status: number, stages: StageTimes, totalMs: number): void {
  const where = { endpoint: exchange.endpoint?.name ?? '', deployment: exchange.reply?.deployment ?? '' };
  const protocol = protocolOf(exchange);
  metrics.requests.inc({ ...where, protocol, code: String(status), reason: reasonOf(exchange) });
  if (exchange.endpoint === undefined) return;
  metrics.requestDuration.observe({ ...where, protocol }, totalMs / 1_000);
  for (const stage of stageNames) {
    if (stages[stage] > 0)
      metrics.stageDuration.observe({ ...where, stage: stageLabels[stage] }, stages[stage] / 1_000);
  }
  if (exchange.reply?.timing !== undefined) {
    const instanceMs = exchange.reply.timing.totalUs / 1_000;
    metrics.gatewayOverhead.observe(where, Math.max(0, totalMs - instanceMs) / 1_000);
  }
  // One that the router had when its caller left is counted there, or by the instance.
  if (exchange.callerGone && exchange.marks.bodyRead === undefined)
    metrics.cancelled.inc({ ...where, where: 'edge' });
  // What the router or an instance refused, they count themselves.
  const rejected = exchange.reply === undefined ? rejections.get(status) : undefined;
  if (rejected !== undefined) metrics.rejected.inc({ ...where, reason: rejected });
}

const rejections = new Map([
  [boundary('too_large').http, 'too_large'],
  [boundary('invalid_argument').http, 'bad_input'],
  [boundary('unsupported_media').http, 'bad_input'],
  [boundary('scoring_timeout').http, 'deadline'],
  [boundary('unavailable').http, 'queue_full'],
]);

function accessLine(exchange: Exchange, status: number, stages: StageTimes, totalMs: number): Record<string, unknown> {
  const { reply, request, route, error } = exchange;
  return {
    time: exchange.beganAt.toISOString(),
    requestId: exchange.requestId,
    clientRequestId: exchange.clientRequestId || undefined,
    traceId: exchange.span?.traceId || undefined,
    method: request.method,
    route: route?.template,
    endpoint: exchange.endpoint?.name,
    deployment: reply?.deployment || undefined,
    instance: reply?.instanceId || undefined,
    protocol: protocolOf(exchange),
    status,
    code: error?.code ?? (exchange.callerGone ? 'cancelled' : 'ok'),
    reason: reasonOf(exchange) || undefined,
    modelStatus: error?.modelStatus,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    rows: reply?.rows,
    batchId: reply?.batchId || undefined,
    batchRows: reply?.batchRows || undefined,
    pick: reply?.pick || undefined,
    retries: reply?.retries,
    callerGone: exchange.callerGone,
    totalMs: round(totalMs),
    stages: Object.fromEntries(stageNames.map((stage) => [stage, round(stages[stage])])),
  };
}

/** Whole microseconds: the stages must still add up to the total. */
function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
