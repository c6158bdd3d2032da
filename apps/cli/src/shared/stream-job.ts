import { PlatformError } from '@mooring/errors';
import type { CommandContext } from '../context.ts';
import { jobViewOf, type JobView } from './jobs.ts';
import { nextCommand } from './next-command.ts';
import { watchJob } from './watch-job.ts';

/**
 * Shows how far a job is until it has ended; resolves to the job when it Completed. Rejects with JOB_FAILED (exit code 1), JOB_CANCELED
 * (5), or `cancelled` (130) when the user stops watching, which leaves the job as it is.
 */
export async function streamJob(name: string, context: CommandContext): Promise<JobView> {
  const client = await context.client();
  const { signal, io } = context;
  const get = async (): Promise<JobView> => jobViewOf(await client.jobs.get(name, context));
  const job = await context
    .progress((onStep) => watchJob({ get, onStep, signal, lines: !io.isTty }))
    .catch((thrown: unknown) => {
      if (!signal.aborted) throw thrown;
      context.nextStep = `follow it again: ${nextCommand('job', 'stream', '-n', name)}, or end it: ${nextCommand('job', 'cancel', '-n', name)}`;
      throw new PlatformError('cancelled', 'CANCELLED', `No longer watching; the job '${name}' goes on.`, {
        cause: thrown,
      });
    });
  if (job.status === 'Completed') return job;
  const { code, message = 'its logs may say why' } = job.error ?? {};
  if (job.status === 'Failed') {
    context.nextStep = `${whereItSaysWhy(job)}; what is left runs again with ${nextCommand('job', 'resume', '-n', name)}`;
    throw new PlatformError(
      'model_failed',
      'JOB_FAILED',
      `the job '${name}' failed: ${code === undefined ? '' : `${code}: `}${message}`,
    );
  }
  context.nextStep = `run what is left: ${nextCommand('job', 'resume', '-n', name)}`;
  throw new PlatformError('aborted', 'JOB_CANCELED', `the job '${name}' was cancelled; what it had done is kept`);
}

/** Logs hold what scripts said; why each item failed is in the output, and a model without code says nothing else. */
function whereItSaysWhy({ name, listing, progress }: JobView): string {
  const logs = `read its logs: ${nextCommand('job', 'get-logs', '-n', name)}`;
  if ((progress?.failed ?? 0) === 0 || listing?.item_kind === 'steps') return logs;
  return `${logs}, and errors.jsonl, which ${nextCommand('job', 'download', '-n', name)} brings`;
}
