import { defineCommand } from '../../command.ts';
import { nameFlag } from '../../shared/flags.ts';
import { revisionFields } from '../../shared/revisions.ts';

export const command = defineCommand({
  summary: 'The kept revisions of an endpoint, newest last',
  flags: { name: nameFlag('endpoint') },
  examples: [
    'mooring online-endpoint history -n cars',
    'mooring online-endpoint history -n cars -o json --query [-1].resource',
  ],
  async run(args, context) {
    const client = await context.client();
    const revisions = await client.onlineEndpoints.revisions(args.name, context);
    await context.print(revisions, { output: 'table', fields: revisionFields });
  },
});
