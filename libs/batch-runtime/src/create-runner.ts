import type { BatchLaunch } from '@mooring/domain';
import { laterError } from './later-error.ts';
import type { MiniBatchRunner, RunnerOptions } from './runner.ts';
import { createScriptRunner } from './script/script-runner.ts';

/** A runner for what the controller got ready: a scoring script for mini-batches of files, else an ONNX model for rows. */
export function createRunner(launch: BatchLaunch, options: RunnerOptions): MiniBatchRunner {
  const { runtime } = launch;
  if (runtime.kind === 'python') return createScriptRunner({ ...launch, runtime }, options);
  throw laterError('ONNX models without a scoring script in batch jobs');
}
