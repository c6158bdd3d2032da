import type { PlatformError } from '@mooring/errors';
import type { ScoreReply } from '@mooring/scoring-stream';
import { metrics, type Tracing } from '@mooring/telemetry';
import type { DeploymentEntry, Directory } from '../domain/directory.ts';
import type { ObservedSpan, RouterObserver } from '../observer.ts';

const untraced: ObservedSpan = { traceparent: '', end: () => {} };

/** The observer on the process's metrics and traces. */
export function createTelemetryObserver(tracing: Tracing): RouterObserver {
  return {
    span: (call) => {
      // What the caller traces is passed on even where this process exports nothing.
      if (!tracing.enabled) return { ...untraced, traceparent: call.traceparent };
      return tracing.span('router', call.traceparent, {
        attributes: { 'mooring.endpoint': call.endpoint.slice(0, 64) },
      });
    },
    mirrorSpan: (target, call) => {
      if (!tracing.enabled) return untraced;
      return tracing.span('router mirror', '', { links: [call.traceparent], attributes: attributesOf(target) });
    },
    picked: (target, why) => metrics.picks.inc({ ...labelsOf(target), why }),
    answered: noteAnswer,
    rejected: (target, error: PlatformError) =>
      metrics.rejected.inc({ ...(target ? labelsOf(target) : unknownTarget), reason: error.reason.toLowerCase() }),
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
  return { endpoint: target.endpoint, deployment: target.name };
}

function attributesOf(target: DeploymentEntry): Record<string, string> {
  return { 'mooring.endpoint': target.endpoint, 'mooring.deployment': target.name };
}

const stages = {
  queue: 'queueUs',
  batch_wait: 'batchWaitUs',
  preprocess: 'preprocessUs',
  compute: 'computeUs',
  postprocess: 'postprocessUs',
} as const;

function noteAnswer(target: DeploymentEntry, answer: ScoreReply, totalMs: number): void {
  const labels = labelsOf(target);
  if (answer.retries > 0) metrics.retries.inc(labels, answer.retries);
  if (answer.errorCode === 'cancelled') metrics.cancelled.inc(labels);
  else if (answer.errorCode !== '' && !answer.started) {
    metrics.rejected.inc({ ...labels, reason: answer.errorReason.toLowerCase() });
  }
  metrics.stageDuration.observe({ ...labels, stage: 'route' }, answer.routerUs / 1e6);
  const { timing } = answer;
  if (timing === undefined || timing.totalUs === 0) return;
  const transportUs = Math.max(0, totalMs * 1_000 - answer.routerUs - timing.totalUs);
  metrics.stageDuration.observe({ ...labels, stage: 'transport' }, transportUs / 1e6);
  for (const [stage, field] of Object.entries(stages)) {
    metrics.stageDuration.observe({ ...labels, stage }, timing[field] / 1e6);
  }
}

/** Sets the gauges that show the present state; called now and then, never in a request. */
export function noteState(directory: Directory): void {
  metrics.configGeneration.set(directory.generation);
  // Deployments that are gone must not keep their last value.
  metrics.inFlight.reset();
  metrics.queueLimit.reset();
  for (const endpoint of directory.all()) {
    for (const deployment of endpoint.deployments.values()) {
      const { pool, route } = deployment;
      metrics.inFlight.set(labelsOf(deployment), pool.liveInFlight);
      metrics.queueLimit.set(labelsOf(deployment), pool.liveLimit(route.maxConcurrentRequestsPerInstance));
    }
  }
}
