import { PlatformError } from '@mooring/errors';
import { retryAfterOf } from '@mooring/overload';
import { rankOf, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { noInstance } from './choose.ts';
import type { InstanceSlot } from './deployment-pool.ts';
import type { DeploymentEntry } from './directory.ts';
import { isInference } from './is-inference.ts';

/** What it depends on whether a call is let in, beside its size. */
type Asking = Pick<ScoreCall, 'operation' | 'priority' | 'deadlineMs'>;

/** Refuses a call that a deployment cannot take. */
export function admit(target: DeploymentEntry, call: ScoreCall, bytesMax: number): void {
  const refusal = whyNot(target, call, call.body.length, bytesMax);
  if (refusal !== undefined) throw refusal;
}

/**
 * Why a deployment has no instance, no room or no time for a call; undefined when it has. What the caller can change by
 * sending less is 429 (azureml-contract 4.4); what only we can change is 503.
 */
export function whyNot(
  target: DeploymentEntry,
  call: Asking,
  bodyBytes: number,
  bytesMax: number,
): PlatformError | undefined {
  const { endpoint, route, pool } = target;
  const concurrency = route.maxConcurrentRequestsPerInstance;
  if (pool.slots.length === 0) return noInstance(endpoint, route.name, pool.describe());
  pool.setConcurrency(concurrency);
  const limit = pool.liveLimit(concurrency);
  if (pool.liveInFlight >= limit) return queueFull(target, limit);
  // Batch calls take what live ones leave: places to run, never places to wait.
  if (rankOf(call.priority) > 0 && pool.liveInFlight >= limit / 2) {
    return busy(target, 'BATCH_YIELDS', 'all instances are busy, and batch requests yield to live ones');
  }
  if (pool.bytesInFlight > 0 && pool.bytesInFlight + bodyBytes > bytesMax) {
    return busy(target, 'DEPLOYMENT_BYTES_FULL', `its requests in flight hold ${pool.bytesInFlight} bytes`);
  }
  // What only describes the model does not wait for it.
  if (!isInference(call.operation)) return undefined;
  const leftMs = call.deadlineMs > 0 ? Math.min(call.deadlineMs, route.requestTimeoutMs) : route.requestTimeoutMs;
  return pool.progress.hopeless(leftMs, pool.liveInFlight) ? unreachable(target, leftMs) : undefined;
}

/** Why no instance was given the call: all have as many as they can bear, or there is none. */
export function whyNone(target: DeploymentEntry, tried: ReadonlySet<InstanceSlot>): PlatformError {
  const { endpoint, route, pool } = target;
  if (!pool.connected(tried)) return noInstance(endpoint, route.name, pool.describe());
  return busy(
    target,
    'INSTANCES_SLOW',
    'its instances take longer than usual, so that they get fewer requests at once',
  );
}

/** Deadlines of the edges' own know nothing of the queue; here it is known when another try would be answered. */
const whenToRetry: ReadonlySet<string> = new Set([
  'scoring_timeout',
  'deadline_exceeded',
  'unavailable',
  'resource_exhausted',
]);

/** Gives every refusal and every deadline its Retry-After. */
export function addRetryAfter({ pool, route }: DeploymentEntry, answer: ScoreReply): void {
  if (answer.retryAfterMs > 0 || !whenToRetry.has(answer.errorCode)) return;
  answer.retryAfterMs = pool.retryAfterMs(route.maxConcurrentRequestsPerInstance);
}

const gaveUp: ReadonlySet<string> = new Set(['cancelled', 'deadline_exceeded', 'scoring_timeout']);

/** An instance is done with it. Callers who give up make a queue shorter, but do not show how fast it is. */
export function workedOff(call: ScoreCall, answer: ScoreReply): boolean {
  return answer.started && !gaveUp.has(answer.errorCode) && isInference(call.operation);
}

/** The instance did no work for it: giving such a call to another one adds no load. */
const handedBackBecause: ReadonlySet<string> = new Set([
  'INSTANCE_DRAINING',
  'INSTANCE_STOPPING',
  'INSTANCE_LOST',
  'INSTANCE_NOT_CONNECTED',
  'STREAM_CLOSED',
]);

export function handedBack(answer: ScoreReply): boolean {
  return handedBackBecause.has(answer.errorReason);
}

function queueFull({ route, pool }: DeploymentEntry, limit: number): PlatformError {
  return PlatformError.refusal(
    'resource_exhausted',
    'QUEUE_FULL',
    `deployment '${route.name}' has ${pool.liveInFlight} requests in flight and takes ${limit} ` +
      '(2 x max_concurrent_requests_per_instance x instances); send fewer at once, or add instances',
    { retryAfterMs: pool.retryAfterMs(route.maxConcurrentRequestsPerInstance) },
  );
}

function busy({ route, pool }: DeploymentEntry, reason: string, why: string): PlatformError {
  return PlatformError.refusal('unavailable', reason, `deployment '${route.name}' takes no more now: ${why}`, {
    retryAfterMs: pool.retryAfterMs(route.maxConcurrentRequestsPerInstance),
  });
}

function unreachable({ route, pool }: DeploymentEntry, leftMs: number): PlatformError {
  const needsMs = Math.ceil(pool.progress.answeredInMs(pool.liveInFlight));
  return PlatformError.refusal(
    'unavailable',
    'DEADLINE_UNREACHABLE',
    `deployment '${route.name}' has ${pool.liveInFlight} requests in flight: another would take about ${needsMs} ms, ` +
      `and this one has ${Math.floor(leftMs)} ms`,
    { retryAfterMs: retryAfterOf(needsMs - leftMs) },
  );
}
