import type { JobStatus } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { ArmResource, ManagementClient } from '@mooring/sdk';
import { defineCommand } from '../../command.ts';
import { laterFlag } from '../../shared/flags.ts';
import { jobRule, jobsMaxDefault, jobsMaxFlag, printJobs } from '../../shared/jobs.ts';

export const command = defineCommand({
  summary: 'List the jobs of all batch endpoints, newest first; or the steps of one',
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
    parent: {
      kind: 'text',
      names: ['--parent-job-name', '-p'],
      value: 'NAME',
      about: 'the steps of this job of a pipeline, those that have begun',
      rule: jobRule,
    },
    archived: laterFlag(['--include-archived', '--archived-only'], 'archived jobs come'),
  },
  examples: [
    'mooring job list -o table',
    'mooring job list --status Running -o table',
    'mooring job list -p night-1 -o table',
  ],
  async run(args, context) {
    const client = await context.client();
    if (args.parent !== undefined) return printJobs(await stepsOf(client, args.parent, context), context);
    const jobs = await client.jobs.list({
      signal: context.signal,
      status: args.status === undefined ? [] : [args.status as JobStatus],
      tags: args.tag === undefined ? [] : [args.tag],
      max: args.allResults ? undefined : (args.maxResults ?? jobsMaxDefault),
    });
    await printJobs(jobs, context);
  },
});

/** In the order in which the pipeline names them. */
async function stepsOf(
  client: ManagementClient,
  parent: string,
  { signal }: { signal: AbortSignal },
): Promise<ArmResource[]> {
  const { jobs = {} } = (await client.jobs.get(parent, { signal })).properties as {
    jobs?: Record<string, { name: string }>;
  };
  const found: ArmResource[] = [];
  for (const { name } of Object.values(jobs)) {
    try {
      found.push(await client.jobs.get(name, { signal }));
    } catch (thrown) {
      // It has not begun.
      if (PlatformError.from(thrown).code !== 'not_found') throw thrown;
    }
  }
  return found;
}
