import { defineCommand } from '../../command.ts';
import { jobFlag, jobViewOf, printJob } from '../../shared/jobs.ts';

export const command = defineCommand({
  summary: 'Show a job: how far it is, what it ran with, what it took',
  flags: { name: jobFlag },
  examples: ['mooring job show -n night-1', 'mooring job show -n night-1 --query status -o tsv'],
  async run(args, context) {
    const client = await context.client();
    await printJob(await jobViewOf(await client.jobs.get(args.name, context)), context);
  },
});
