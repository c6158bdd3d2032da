import { fileURLToPath } from 'node:url';
import type { BatchLaunch, PythonRuntimeSpec } from '@mooring/domain';
import { workerPackageFolder } from '@mooring/python-runtime';
import { ProcessRunner } from '../process/process-runner.ts';
import type { MiniBatchRunner, RunnerOptions } from '../runner.ts';
import { scriptArguments, scriptEnvironment } from './script-environment.ts';

const driver = fileURLToPath(new URL('../../python/mooring_batch/__main__.py', import.meta.url));
/** Runs a scoring script (azureml-contract 6.3) over mini-batches of files, in a Python process. */
export function createScriptRunner(
  launch: BatchLaunch & { runtime: PythonRuntimeSpec },
  options: RunnerOptions,
): MiniBatchRunner {
  const { runtime, limits } = launch;
  const plan = {
    command: runtime.interpreter,
    // The driver shares what it does to itself and to scripts with the workers of online deployments.
    args: [driver, workerPackageFolder],
    cwd: runtime.codeDir,
    environment: scriptEnvironment(launch, runtime, options),
    memoryMib: limits.memoryMib,
    load: {
      codeDir: runtime.codeDir,
      scoringScript: runtime.scoringScript,
      arguments: scriptArguments(options),
    },
    what: `the scoring script ${runtime.scoringScript}`,
  };
  return new ProcessRunner(plan, options);
}
