import { defineCommand } from '../../command.ts';
import { endpointFlag, nameFlag } from '../../shared/flags.ts';
import { jobsMaxDefault, jobsMaxFlag, printJobs } from '../../shared/jobs.ts';

export const command = defineCommand({
  summary: 'List the jobs of a deployment, newest first',
  flags: { name: nameFlag('deployment'), endpoint: endpointFlag, maxResults: jobsMaxFlag },
  examples: ['mooring batch-deployment list-jobs -n luca -e car-photos -o table'],
  async run(args, context) {
    const client = await context.client();
    const { endpoint, name: deployment } = args;
    const max = args.maxResults ?? jobsMaxDefault;
    await printJobs(await client.jobs.list({ endpoint, deployment, max, signal: context.signal }), context);
  },
});
