import type { JobStatus } from '@mooring/domain';
import { defineCommand } from '../../command.ts';
import { laterFlag } from '../../shared/flags.ts';
import { jobsMaxDefault, jobsMaxFlag, printJobs } from '../../shared/jobs.ts';

export const command = defineCommand({
  summary: 'List the jobs of all batch endpoints, newest first',
  flags: {
    status: {
      kind: 'text',
      names: ['--status'],
      value: 'STATUS',
      about: 'only those in this status',
      choices: ['Queued', 'Preparing', 'Running', 'Finalizing', 'Completed', 'Failed', 'CancelRequested', 'Canceled'],
    },
    tag: { kind: 'text', names: ['--tag'], value: 'TAG', about: 'only those with this tag, or tag=value' },
    maxResults: jobsMaxFlag,
    allResults: { kind: 'switch', names: ['--all-results'], about: 'all that there are' },
    parent: laterFlag(['--parent-job-name', '-p'], 'child jobs come'),
    archived: laterFlag(['--include-archived', '--archived-only'], 'archived jobs come'),
  },
  examples: ['mooring job list -o table', 'mooring job list --status Running -o table'],
  async run(args, context) {
    const client = await context.client();
    const jobs = await client.jobs.list({
      signal: context.signal,
      status: args.status === undefined ? [] : [args.status as JobStatus],
      tags: args.tag === undefined ? [] : [args.tag],
      max: args.allResults ? undefined : (args.maxResults ?? jobsMaxDefault),
    });
    await printJobs(jobs, context);
  },
});
