import type { BatchLaunch } from '@mooring/domain';
import { createRowsRunner } from './rows/rows-runner.ts';
import type { MiniBatchRunner, RunnerOptions } from './runner.ts';
import { createScriptRunner } from './script/script-runner.ts';

/** A runner for what the controller got ready: a scoring script for mini-batches of files, else an ONNX model for rows. */
export function createRunner(launch: BatchLaunch, options: RunnerOptions): MiniBatchRunner {
  const { runtime } = launch;
  return runtime.kind === 'python'
    ? createScriptRunner({ ...launch, runtime }, options)
    : createRowsRunner({ ...launch, runtime }, options);
}
