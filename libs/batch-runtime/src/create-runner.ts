import type { BatchLaunch } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { MiniBatchRunner, RunnerOptions } from './runner.ts';

/** A runner for what the controller got ready: a scoring script for mini-batches of files, else an ONNX model for rows. */
export function createRunner(launch: BatchLaunch, _options: RunnerOptions): MiniBatchRunner {
  throw new PlatformError('unimplemented', 'LATER', `${launch.runtime.kind} cannot run yet`);
}
