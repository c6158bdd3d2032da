import { defineCommand } from '../../command.ts';
import { hasEnded, jobFlag, jobViewOf, printJob } from '../../shared/jobs.ts';
import { nextCommand } from '../../shared/next-command.ts';

export const command = defineCommand({
  summary: 'End a job early; what it has done is kept',
  flags: { name: jobFlag },
  examples: ['mooring job cancel -n night-1'],
  async run(args, context) {
    const client = await context.client();
    const job = await jobViewOf(await client.jobs.cancel(args.name, context));
    context.note(
      hasEnded(job)
        ? `the job '${job.name}' is ${job.status}`
        : `the job '${job.name}' is ${job.status}; ${nextCommand('job', 'stream', '-n', job.name)} follows it to its end`,
    );
    await printJob(job, context);
  },
});
