import type { MiniBatch, PartFile } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { MiniBatchFailed } from '../runner.ts';

/** Why each item failed: the outcome of its last run, or a reason of the worker's own. */
export interface FailedWhole {
  reason: string;
  message: string;
  runs: number;
}

/** Stable words for ItemError's `reason`. */
export const failureReasons: Readonly<Record<MiniBatchFailed['kind'], string>> = {
  raised: 'ScriptRaised',
  'timed-out': 'ScriptTimedOut',
  'process-lost': 'ScriptExited',
};

/** The errors part of a mini-batch of which no item succeeded: a line for each, whole and on disk. */
export async function writeFailedPart(_partsFolder: string, batch: MiniBatch, _why: FailedWhole): Promise<PartFile> {
  throw new PlatformError('unimplemented', 'LATER', `${batch.index}`);
}
