import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BatchLaunch, OnnxRuntimeSpec } from '@mooring/domain';
import { ProcessRunner } from '../process/process-runner.ts';
import type { MiniBatchRunner, RunnerOptions } from '../runner.ts';
import { lineFormOf } from './row-lines-writer.ts';
import type { LoadMessage } from './rows-process.ts';

const rowsProcess = fileURLToPath(new URL('./rows-process.ts', import.meta.url));
/** Of the memory that a process may hold; the model and ONNX Runtime's own take the rest. */
const heapShare = 0.5;
const heapMibMax = 2_048;

/** Scores rows of tabular files with an ONNX model, in a Node process. The deployment's environment variables mean nothing to it. */
export function createRowsRunner(
  launch: BatchLaunch & { runtime: OnnxRuntimeSpec },
  options: RunnerOptions,
): MiniBatchRunner {
  const { runtime, limits, model } = launch;
  const { columns, settings, workFolder } = options;
  const heapMib = Math.floor(Math.min(heapMibMax, limits.memoryMib * heapShare));
  const load: LoadMessage = {
    type: 'load',
    file: runtime.file,
    form: lineFormOf(settings.outputFileName),
    ...(columns === undefined ? {} : { columns }),
  };
  const plan = {
    command: process.execPath,
    args: [`--max-old-space-size=${heapMib}`, rowsProcess],
    cwd: workFolder,
    environment: { HOME: workFolder, TMPDIR: join(workFolder, 'tmp') },
    memoryMib: limits.memoryMib,
    load,
    what: model === undefined ? 'the model' : `the model ${model.name}`,
  };
  return new ProcessRunner(plan, options);
}
