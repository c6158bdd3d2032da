import { defineCommand } from '../../command.ts';
import { jobFlag } from '../../shared/jobs.ts';

export const command = defineCommand({
  summary: 'Print what the processes of a job wrote: its script, its mini-batches that failed',
  flags: {
    name: jobFlag,
    lines: {
      kind: 'whole',
      names: ['--lines', '-l'],
      value: 'N',
      about: 'the last N lines (5000)',
      smallest: 1,
      largest: 100_000,
    },
  },
  examples: ['mooring job get-logs -n night-1 -l 100'],
  async run(args, context) {
    const client = await context.client();
    const content = await client.jobs.getLogs(args.name, { tail: args.lines ?? 5000, signal: context.signal });
    if (content === '') context.note(`the processes of '${args.name}' wrote nothing`);
    context.printText(content.endsWith('\n') || content === '' ? content : `${content}\n`);
  },
});
