import type { SubmitJobRequest, SubmitJobResponse } from '@mooring/contracts/batch';
import { PlatformError } from '@mooring/errors';

/** Refuses: a job that were accepted and never run would be worse than none. */
export function submitJob(request: SubmitJobRequest): SubmitJobResponse {
  throw new PlatformError(
    'unimplemented',
    'BATCH_NOT_AVAILABLE',
    `batch endpoint '${request.endpoint}': this version of Mooring does not run batch jobs yet. ` +
      'Score the inputs one by one through an online endpoint.',
  );
}
