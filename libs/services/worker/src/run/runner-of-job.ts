import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jobFiles, type Launches } from '@mooring/batch-jobs';
import { createRunner, type MiniBatchRunner, type RunnerOptions } from '@mooring/batch-runtime';
import { readBatchSettings, type JobRecord } from '@mooring/domain';
import { createJobLog } from '../adapters/job-log.ts';
import { createStepRunner } from './step-runner.ts';

/** A process for a job, with a log and a folder of its own; the folder goes when the process has ended. */
export async function createRunnerOfJob(
  job: JobRecord,
  { launches, jobsFolder, signal: left }: { launches: Launches; jobsFolder: string; signal: AbortSignal },
): Promise<MiniBatchRunner> {
  const launch = await launches.prepare(job, left);
  const files = jobFiles(jobsFolder, job.name);
  const id = randomUUID().slice(0, 8);
  const workFolder = join(files.root, 'work', id);
  // Names in the order in which the processes began.
  const out = createJobLog(files.logs, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.${id}`);
  for (const warning of launch.warnings) out.write(`${warning}\n`);
  const options = {
    job: job.name,
    partsFolder: files.parts,
    workFolder,
    outputFolder: files.scriptOutput,
    settings: job.settings,
    out,
    ...columnsOf(job),
  };
  const { runtime } = launch;
  let runner: MiniBatchRunner;
  try {
    runner =
      job.step === undefined && runtime.kind !== 'command'
        ? createRunner({ ...launch, runtime }, options)
        : await createStepRunner(job, launch, options);
  } catch (thrown) {
    out.end();
    throw thrown;
  }
  return {
    start: (signal) => runner.start(signal),
    run: (batch, how) => runner.run(batch, how),
    stop: async (signal) => {
      await runner.stop(signal);
      out.end();
      // What cannot be removed now goes with the job's folder.
      await rm(workFolder, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}

/** A property of the deployment, which the job's document carries. */
function columnsOf({ properties }: JobRecord): Pick<RunnerOptions, 'columns'> {
  const { columns } = readBatchSettings(properties).settings;
  return columns === undefined ? {} : { columns };
}
