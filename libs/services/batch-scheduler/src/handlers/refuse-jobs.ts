import { PlatformError } from '@mooring/errors';

/** Refuses: a job that were accepted and never run would be worse than none. */
export function refuseJobs(request: { endpoint?: string; name?: string }): never {
  throw new PlatformError(
    'unimplemented',
    'BATCH_NOT_AVAILABLE',
    `batch endpoint or job '${request.endpoint ?? request.name ?? ''}': this version of Mooring does not run batch jobs yet. ` +
      'Score the inputs one by one through an online endpoint.',
  );
}
