import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  argumentWords,
  createCommandRunner,
  createRunner,
  inputTexts,
  type MiniBatchRunner,
  type RunnerOptions,
} from '@mooring/batch-runtime';
import type { BatchLaunch, CommandLaunch, JobRecord, JobStep } from '@mooring/domain';

/** A process for a step of a pipeline: a command, or a script with the arguments that the step's values make. */
export async function createStepRunner(
  { name, step }: JobRecord,
  { runtime, ...rest }: BatchLaunch | CommandLaunch,
  options: RunnerOptions,
): Promise<MiniBatchRunner> {
  if (step === undefined) throw new TypeError(`job '${name}' is no step of a pipeline`);
  const launch = { ...rest, environmentVariables: { ...rest.environmentVariables, ...step.environmentVariables } };
  if (runtime.kind === 'command') return createCommandRunner({ ...launch, runtime }, step, options);
  const values = { inputs: inputTexts(step), outputs: await outputPaths(step, options.outputFolder) };
  return createRunner({ ...launch, runtime }, { ...options, arguments: argumentWords(step.arguments ?? '', values) });
}

/** Where scripts write files of their own for an output; shared by all processes of the job, like the folder of all jobs' scripts. */
async function outputPaths({ outputs }: JobStep, outputFolder: string): Promise<Record<string, string>> {
  const paths: Record<string, string> = {};
  for (const [name, { type }] of Object.entries(outputs)) {
    const folder = join(outputFolder, name);
    await mkdir(folder, { recursive: true });
    paths[name] = type === 'uri_file' ? join(folder, name) : folder;
  }
  return paths;
}
