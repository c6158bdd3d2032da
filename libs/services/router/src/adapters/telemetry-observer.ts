import type { PlatformError } from '@mooring/errors';
import type { ScoreReply } from '@mooring/scoring-stream';
import { metrics, type HotDistribution, type HotValue, type Tracing } from '@mooring/telemetry';
import type { DeploymentEntry, Directory } from '../domain/directory.ts';
import type { ObservedSpan, RouterObserver } from '../observer.ts';

const untraced: ObservedSpan = { traceparent: '', end: () => {} };

/** The observer on the process's metrics and traces. */
export function createTelemetryObserver(tracing: Tracing): RouterObserver {
  return {
    span: (call) => {
      // What the caller traces is passed on even where this process exports nothing of it.
      if (!tracing.records(call.traceparent)) return { traceparent: call.traceparent, end: untraced.end };
      return tracing.span('router', call.traceparent, {
        attributes: { 'mooring.endpoint': call.endpoint.slice(0, 64) },
      });
    },
    mirrorSpan: (target, call) => {
      if (!tracing.enabled) return untraced;
      return tracing.span('router mirror', '', { links: [call.traceparent], attributes: attributesOf(target) });
    },
    picked: (target, why) => void (seriesOf(target).picks(why).value += 1),
    answered: noteAnswer,
    rejected: (target, error: PlatformError) =>
      metrics.rejected.inc({ ...(target ? labelsOf(target) : unknownTarget), reason: error.reason.toLowerCase() }),
    retryDenied: (target) => metrics.retriesDenied.inc(labelsOf(target)),
    ejected: (target) => metrics.ejections.inc(labelsOf(target)),
    mirrorSent: (target) => metrics.mirrorSent.inc(labelsOf(target)),
    mirrorDropped: (target, reason) => metrics.mirrorDropped.inc({ ...labelsOf(target), reason }),
    mirrorCompared: (target, result, deltaMs) => {
      metrics.mirrorCompared.inc({ ...labelsOf(target), result });
      if (deltaMs !== undefined) metrics.mirrorLatencyDelta.observe(labelsOf(target), deltaMs / 1_000);
    },
  };
}

/** Names that callers make up must not become labels. */
const unknownTarget = { endpoint: '', deployment: '' };

function labelsOf(target: DeploymentEntry): { endpoint: string; deployment: string } {
  return { endpoint: target.endpointName, deployment: target.route.name };
}

function attributesOf(target: DeploymentEntry): Record<string, string> {
  return { 'mooring.endpoint': target.endpointName, 'mooring.deployment': target.route.name };
}

/** The edges record what a request's stages took and whose caller left; here is what only the router knows. */
function noteAnswer(target: DeploymentEntry, answer: ScoreReply): void {
  if (target.pool.isNewBatch(answer.instanceId, answer.batchId)) {
    const series = seriesOf(target);
    series.batchRows.observe(answer.batchRows);
    series.batchExecutions.value += 1;
  }
  if (answer.errorCode === '' && answer.retries === 0) return;
  const labels = labelsOf(target);
  if (answer.retries > 0) metrics.retries.inc(labels, answer.retries);
  // A call that was sent is counted by whoever had it, where it was then.
  if (answer.errorCode === 'cancelled' && !answer.started) metrics.cancelled.inc({ ...labels, where: 'queue' });
  if (answer.errorCode === '' || answer.errorCode === 'cancelled' || answer.started) return;
  metrics.rejected.inc({ ...labels, reason: answer.errorReason.toLowerCase() });
}

type Why = Parameters<RouterObserver['picked']>[1];

interface Series {
  picks(why: Why): HotValue;
  batchRows: HotDistribution;
  batchExecutions: HotValue;
}

/** The series of a deployment, looked up once: by their labels, as prom-client has it, each request would pay 0.4 us. */
const series = new WeakMap<DeploymentEntry, Series>();

function seriesOf(target: DeploymentEntry): Series {
  let found = series.get(target);
  if (found === undefined) {
    found = createSeries(labelsOf(target));
    series.set(target, found);
  }
  return found;
}

function createSeries(labels: ReturnType<typeof labelsOf>): Series {
  const picks: Partial<Record<Why, HotValue>> = {};
  return {
    picks: (why) => (picks[why] ??= metrics.picks.at({ ...labels, why })),
    batchRows: metrics.batchRows.at(labels),
    batchExecutions: metrics.batchExecutions.at(labels),
  };
}

/** A function that sets the gauges of the present state; called now and then, never in a request. */
export function createStateGauges(directory: Directory): () => void {
  let shown: ReturnType<typeof labelsOf>[] = [];
  return () => {
    metrics.configGeneration.set(directory.generation);
    // Deployments that are gone must not keep their last value.
    for (const labels of shown)
      for (const gauge of [metrics.inFlight, metrics.queueLimit, metrics.queueDepth]) gauge.remove(labels);
    const deployments = [...directory.all()].flatMap((endpoint) => [...endpoint.deployments.values()]);
    shown = deployments.map(labelsOf);
    for (const deployment of deployments) {
      const { pool, route } = deployment;
      const concurrency = route.maxConcurrentRequestsPerInstance;
      metrics.inFlight.set(labelsOf(deployment), pool.liveInFlight);
      metrics.queueLimit.set(labelsOf(deployment), Math.min(pool.liveLimit(concurrency), pool.bearable(concurrency)));
      metrics.queueDepth.set(labelsOf(deployment), Math.max(0, pool.liveInFlight - pool.liveLimit(concurrency) / 2));
    }
  };
}
