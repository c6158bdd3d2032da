import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  summary: 'List the latest control actions: who changed what, and when',
  flags: {
    maxResults: {
      kind: 'whole',
      names: ['--max-results', '--top', '-r'],
      value: 'N',
      about: 'the latest N (100)',
      smallest: 1,
      largest: 10_000,
    },
  },
  examples: ['mooring audit list', 'mooring audit list --max-results 20 -o json'],
  async run(args, context) {
    const client = await context.client();
    await context.print(await client.auditEvents(args.maxResults ?? 100, context), { output: 'table' });
  },
});
