import type { JobRecord, JobTrouble, MiniBatchMessage, MiniBatchRecord } from '@mooring/domain';
import type { Bucket, WorkQueue } from '@mooring/messaging';

export type Jobs = Pick<Bucket<JobRecord>, 'watch'>;
export type Records = Bucket<MiniBatchRecord>;
/** In the same bucket as the records. */
export type Troubles = Pick<Bucket<JobTrouble>, 'put'>;
export type Work = Pick<WorkQueue<MiniBatchMessage>, 'take'>;
