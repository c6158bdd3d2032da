import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { readCommandLine, type CommandLaunch, type JobStep } from '@mooring/domain';
import { interpreterEnvironment, workerPackageFolder } from '@mooring/python-runtime';
import { ProcessRunner } from '../process/process-runner.ts';
import type { MiniBatchRunner, RunnerOptions } from '../runner.ts';
import { inputTexts } from './input-texts.ts';
import { shellLine } from './shell-line.ts';

const driver = fileURLToPath(new URL('../../python/mooring_batch/run_command.py', import.meta.url));

/**
 * Runs the command of a pipeline's step (azureml-contract 1.7), in a process of its own, once for each mini-batch that it is given. What the
 * command writes goes into the folder `<index>.<uuid>.outputs` beside its part, which names every file of it.
 */
export function createCommandRunner(
  launch: CommandLaunch,
  step: Pick<JobStep, 'command' | 'inputs' | 'outputs' | 'paths'>,
  options: RunnerOptions,
): MiniBatchRunner {
  const { runtime, limits } = launch;
  const inputs = inputTexts(step);
  const given = [
    ...Object.keys(inputs).map((name) => `inputs.${name}`),
    ...Object.keys(step.outputs).map((name) => `outputs.${name}`),
  ];
  const { text, variables } = shellLine(readCommandLine(step.command ?? '').parts, new Set(given));
  const values = Object.entries(inputs).flatMap(([name, value]) => {
    const variable = variables.get(`inputs.${name}`);
    return variable === undefined ? [] : [[variable, value] as const];
  });
  // One that the line does not name has a folder, too: commands may find it by their own means.
  const outputs = Object.entries(step.outputs).map(([name, { type }], place) => [
    variables.get(`outputs.${name}`) ?? `MOORING_OUTPUT_${place}`,
    { name, isFile: type === 'uri_file' },
  ]);
  const plan = {
    command: runtime.interpreter,
    args: [driver, workerPackageFolder],
    cwd: options.workFolder,
    environment: {
      ...interpreterEnvironment(runtime.interpreter, options.workFolder, join(options.workFolder, 'tmp'), limits.cpu),
      AZUREML_RUN_ID: options.job,
      AZUREML_LOG_LEVEL: options.settings.loggingLevel.toUpperCase(),
      ...launch.environmentVariables,
      ...Object.fromEntries(values),
    },
    memoryMib: limits.memoryMib,
    load: {
      line: text,
      codeDir: runtime.codeDir ?? null,
      workFolder: options.workFolder,
      outputs: Object.fromEntries(outputs),
    },
    what: 'the command',
    timeSetting: 'limits.timeout',
  };
  return new ProcessRunner(plan, options);
}
