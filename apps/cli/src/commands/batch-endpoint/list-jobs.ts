import { defineCommand } from '../../command.ts';
import { nameFlag } from '../../shared/flags.ts';
import { jobsMaxDefault, jobsMaxFlag, printJobs } from '../../shared/jobs.ts';

export const command = defineCommand({
  summary: 'List the jobs of an endpoint, newest first',
  flags: { name: nameFlag('endpoint'), maxResults: jobsMaxFlag },
  examples: ['mooring batch-endpoint list-jobs -n car-photos -o table'],
  async run(args, context) {
    const client = await context.client();
    const { signal } = context;
    const max = args.maxResults ?? jobsMaxDefault;
    await printJobs(await client.jobs.list({ endpoint: args.name, max, signal }), context);
  },
});
