import type { WorkQueueOptions } from '@mooring/messaging';

/** The work queue of mini-batches; its lanes are jobs (jobKey). */
export const batchWork: WorkQueueOptions = {
  stream: 'mooring_batch_work',
  subjects: 'mooring.batch.work',
  messagesMax: 1_000_000,
  /** Unless a worker is set otherwise; it says several times within it that it is still at work. */
  ackWaitMs: 20_000,
};
