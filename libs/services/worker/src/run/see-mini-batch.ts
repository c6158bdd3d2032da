import type { JobRecord, MiniBatchMessage, MiniBatchRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { WorkItem } from '@mooring/messaging';
import { metrics, type Tracing } from '@mooring/telemetry';

/** Mini-batches of one job that get a span, the first ones: no collector keeps a trace of a million. */
const spansMax = 10_000;

/** Metrics and span of one mini-batch that was taken. */
export interface SeenMiniBatch {
  /** `counted`: its record was made; else another run was first. */
  ended(record: MiniBatchRecord, counted: boolean): void;
  givenBack(why: unknown): void;
}

/** The span is one of the job's trace, and is linked to the span that accepted the job. */
export function seeMiniBatch(
  tracing: Tracing,
  { name, endpoint, deployment, traceparent = '' }: JobRecord,
  { value, deliveries }: WorkItem<MiniBatchMessage>,
): SeenMiniBatch {
  const labels = { endpoint, deployment };
  if (deliveries > 1) metrics.batchRedeliveries.inc(labels);
  const traced = tracing.enabled && traceparent !== '' && tracing.records(traceparent) && value.index < spansMax;
  const attributes = {
    'mooring.job': name,
    'mooring.endpoint': endpoint,
    'mooring.deployment': deployment,
    'mooring.mini_batch': value.index,
    'mooring.attempt': value.attempt,
    'mooring.deliveries': deliveries,
  };
  const span = traced ? tracing.span('batch mini-batch', traceparent, { attributes, links: [traceparent] }) : undefined;
  return {
    ended: ({ items, succeeded, failed, runs, failedWhole }, counted) => {
      if (counted) {
        metrics.batchItems.inc({ ...labels, result: 'ok' }, succeeded);
        metrics.batchItems.inc({ ...labels, result: 'failed' }, failed);
      } else metrics.batchItems.inc({ ...labels, result: 'duplicate_suppressed' }, items);
      span?.set({
        'mooring.items.succeeded': succeeded,
        'mooring.items.failed': failed,
        'mooring.runs': runs,
        'mooring.counted': counted,
      });
      span?.end(failedWhole === true ? { reason: 'MINI_BATCH_FAILED' } : undefined);
    },
    givenBack: (why) => span?.end({ reason: PlatformError.from(why).reason }),
  };
}
