import { defineCommand } from '../../command.ts';
import { jobFlag, jobViewOf, printJob } from '../../shared/jobs.ts';
import { nextCommand } from '../../shared/next-command.ts';

export const command = defineCommand({
  summary: 'Run what is left of a job that failed or was cancelled',
  about: 'Mini-batches that were done stay done; those that failed as a whole run again.',
  flags: { name: jobFlag },
  examples: ['mooring job resume -n night-1'],
  async run(args, context) {
    const client = await context.client();
    const job = await jobViewOf(await client.jobs.resume(args.name, context));
    context.note(`follow it: ${nextCommand('job', 'stream', '-n', job.name)}`);
    await printJob(job, context);
  },
});
