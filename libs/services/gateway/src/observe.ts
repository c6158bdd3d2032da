import { boundary } from '@mooring/errors';
import { spentUs } from '@mooring/scoring-stream';
import type { KeptRequests } from '@mooring/telemetry';
import { accessLine, type Outcome } from './access-line.ts';
import type { AccessLog } from './access-log.ts';
import { isOfJobs } from './domain/routes.ts';
import { stageTimes } from './domain/stage-times.ts';
import type { Exchange } from './exchange.ts';
import { keepRequest } from './keep-request.ts';
import type { DeploymentMeters, Meters } from './meters.ts';

export interface Records {
  accessLog: AccessLog;
  requests: KeptRequests;
}

/** Records one finished request: metrics, span, access line, and what explains it. Called after the last byte is out. */
export function observe(exchange: Exchange, meters: Meters, { accessLog, requests }: Records): void {
  const { marks } = exchange;
  marks.ended = performance.now();
  const status = exchange.callerGone && exchange.status === 0 ? boundary('cancelled').http : exchange.status;
  const reason = exchange.error?.reason ?? (exchange.callerGone ? 'CALLER_GONE' : '');
  const protocol = protocolOf(exchange);
  const totalMs = marks.ended - marks.began;
  const stages = exchange.stages ?? stageTimes(marks, exchange.reply);
  stages.write = marks.ended - (marks.answered ?? marks.ended);
  const { endpoint, reply } = exchange;
  const own = endpoint === undefined ? meters.nowhere : meters.of(endpoint.name).of(reply?.deployment ?? '');
  const outcome = { protocol, status, reason, stages, totalMs, who: own.who(reply?.instanceId ?? '') };
  count(exchange, own, outcome);
  endSpan(exchange, status, reason);
  keepRequest(exchange, outcome, requests);
  if (accessLog.wanted) accessLog.writeJson(accessLine(exchange, outcome));
}

function protocolOf({ route, dialect }: Exchange): string {
  if (route?.action === 'score' || route?.action === 'swagger') return 'score';
  if (route !== undefined && isOfJobs(route)) return 'batch';
  return dialect === 'oip' ? 'oip_rest' : 'other';
}

function count(exchange: Exchange, own: DeploymentMeters, outcome: Outcome): void {
  const { reply } = exchange;
  const { protocol, status, reason, stages, totalMs } = outcome;
  own.requests(protocol, status, reason).value += 1;
  if (exchange.endpoint === undefined) return;
  own.duration(protocol).observe(totalMs / 1_000);
  own.stages(stages);
  if (reply?.timing !== undefined) {
    const instanceMs = reply.timing.totalUs / 1_000;
    own.overhead.observe(Math.max(0, totalMs - instanceMs) / 1_000);
  }
  if (exchange.callerGone) countGone(exchange, own);
  // What the router or an instance refused, they count themselves.
  const rejected = reply === undefined ? rejections.get(status) : undefined;
  if (rejected !== undefined) own.rejected(rejected);
}

/** One that the router had when its caller left is counted there, or by the instance. */
function countGone({ marks, reply }: Exchange, own: DeploymentMeters): void {
  const forwarded = marks.bodyRead !== undefined;
  if (!forwarded) own.cancelled(0);
  else if (reply?.errorCode === '') own.cancelled(spentUs(reply));
}

const rejections = new Map([
  [boundary('too_large').http, 'too_large'],
  [boundary('invalid_argument').http, 'bad_input'],
  [boundary('unsupported_media').http, 'bad_input'],
  [boundary('scoring_timeout').http, 'deadline'],
  [boundary('unavailable').http, 'queue_full'],
]);

function endSpan({ span, requestId, endpoint, reply, callerGone }: Exchange, status: number, reason: string): void {
  if (span === undefined) return;
  span.set({
    'http.response.status_code': status,
    'mooring.request_id': requestId,
    'mooring.endpoint': endpoint?.name ?? '',
    'mooring.deployment': reply?.deployment ?? '',
  });
  span.end(status >= 500 || callerGone ? { reason: reason || String(status) } : undefined);
}
