import type { JobRecord, JobStatus } from '@mooring/domain';
import type { Tracing } from '@mooring/telemetry';
import { hasEnded } from '../domain/job-state.ts';

const names: Partial<Record<JobStatus, string>> = {
  Queued: 'batch queue',
  Preparing: 'batch prepare',
  Running: 'batch run',
  CancelRequested: 'batch cancel',
  Finalizing: 'batch finalize',
};

/**
 * Writes the span of the status that a job has left, and of the whole job when it has ended. Their times are the document's, so nothing
 * is lost when a scheduler ends in the middle and another one goes on.
 */
export function jobMoved(tracing: Tracing, before: JobRecord, after: JobRecord): void {
  const { traceparent } = after;
  if (!tracing.enabled || traceparent === undefined || !tracing.records(traceparent)) return;
  const attributes = {
    'mooring.job': after.name,
    'mooring.endpoint': after.endpoint,
    'mooring.deployment': after.deployment,
    'mooring.attempt': after.attempt,
  };
  const error = after.status === 'Failed' ? { reason: after.error?.code ?? 'Failed' } : undefined;
  const name = names[before.status];
  if (name !== undefined) tracing.span(name, traceparent, { attributes, startMs: Date.parse(before.since) }).end(error);
  if (!hasEnded(after)) return;
  const whole = tracing.span('batch job', traceparent, { attributes, startMs: Date.parse(after.createdAt) });
  const { succeeded, failed, skipped } = after.progress;
  whole.set({
    'mooring.status': after.status,
    'mooring.items.succeeded': succeeded,
    'mooring.items.failed': failed,
    'mooring.items.skipped': skipped,
  });
  whole.end(error);
}
