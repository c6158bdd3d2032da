import { defineCommand } from '../../command.ts';
import { jobFlag, printJob } from '../../shared/jobs.ts';
import { streamJob } from '../../shared/stream-job.ts';

export const command = defineCommand({
  summary: 'Follow a job until it has ended',
  about:
    'Ends with 0 when the job Completed, 1 when it Failed, 5 when it was Canceled, 130 when you stop watching (Ctrl-C): the job goes on.',
  flags: { name: jobFlag },
  examples: ['mooring job stream -n night-1'],
  async run(args, context) {
    await printJob(await streamJob(args.name, context), context);
  },
});
