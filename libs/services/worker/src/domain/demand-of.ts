import { readBatchSettings, type JobRecord } from '@mooring/domain';
import type { Demand } from './allot.ts';

/** No more processes than mini-batches are left: a process that gets none would have loaded for nothing. */
export function demandOf(job: Pick<JobRecord, 'name' | 'settings' | 'properties' | 'listing' | 'progress'>): Demand {
  const { instanceCount, maxConcurrencyPerInstance } = job.settings;
  // What is said of progress may be a second old, and of a part that was lost all are done for so long.
  const left = Math.max(1, (job.listing?.miniBatches ?? Infinity) - job.progress.miniBatchesDone);
  return {
    job: job.name,
    priority: readBatchSettings(job.properties).settings.priority,
    processesMax: Math.min(instanceCount * maxConcurrencyPerInstance, left),
  };
}
