import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { jobFiles } from '@mooring/batch-jobs';
import type { GetJobLogsRequest, GetJobLogsResponse } from '@mooring/contracts/batch';
import type { JobRecord } from '@mooring/domain';
import { isPipeline, stepJobs, type Pipeline } from '../pipeline/step-job.ts';
import type { JobBook } from '../run/job-book.ts';

const linesDefault = 5_000;
const linesMax = 100_000;
/** Of each file, so that an answer stays within a message. */
const bytesMax = 256 * 1024;
const filesMax = 8;
/** Of all steps of a pipeline together; the last ones count. */
const stepsBytesMax = filesMax * bytesMax;

/** The ends of the logs of a job's processes, one behind the other. */
export function createGetJobLogs(book: JobBook, jobsFolder: string) {
  return async ({ name, tail }: GetJobLogsRequest): Promise<GetJobLogsResponse> => {
    const job = await book.get(name);
    if (job.filesRemovedAt !== undefined) return { content: `The logs were removed on ${job.filesRemovedAt}.` };
    const lines = isPipeline(job) ? await linesOfSteps(book, job, jobsFolder) : await linesOf(job, jobsFolder);
    return { content: lines.slice(-Math.min(linesMax, tail === 0 ? linesDefault : tail)).join('\n') };
  };
}

/** Each line with its step's name before it, in the order in which steps begin. */
async function linesOfSteps(book: JobBook, job: Pipeline, jobsFolder: string): Promise<string[]> {
  const jobs = await stepJobs(book, job);
  const lines: string[] = [];
  for (const { name } of job.pipeline.steps) {
    const step = jobs.get(name);
    if (step !== undefined) lines.push(...(await linesOf(step, jobsFolder)).map((line) => `${name}: ${line}`));
  }
  // The first ones are left out before the answer is too large to be sent.
  let bytes = 0;
  const fits = lines.toReversed().findIndex((line) => (bytes += line.length) > stepsBytesMax);
  return fits < 0 ? lines : lines.slice(-fits);
}

async function linesOf({ name }: JobRecord, jobsFolder: string): Promise<string[]> {
  const { logs } = jobFiles(jobsFolder, name);
  const names = (await readdir(logs).catch(() => [] as string[])).filter((file) => file.endsWith('.log')).toSorted();
  const lines: string[] = [];
  for (const file of names.slice(-filesMax)) lines.push(...(await endOf(join(logs, file))));
  return lines;
}

async function endOf(path: string): Promise<string[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - bytesMax);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    if (start > 0) lines.shift();
    return lines.filter((line) => line !== '');
  } finally {
    await file.close();
  }
}
