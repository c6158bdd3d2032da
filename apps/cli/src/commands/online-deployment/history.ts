import { defineCommand } from '../../command.ts';
import { endpointFlag, nameFlag } from '../../shared/flags.ts';
import { revisionFields } from '../../shared/revisions.ts';

export const command = defineCommand({
  summary: 'The kept revisions of a deployment, newest last',
  flags: { name: nameFlag('deployment'), endpoint: endpointFlag },
  examples: [
    'mooring online-deployment history -n luca -e cars',
    'mooring online-deployment history -n luca -e cars -o json --query [-1].resource',
  ],
  async run(args, context) {
    const client = await context.client();
    const revisions = await client.onlineDeployments.revisions(args.endpoint, args.name, context);
    await context.print(revisions, { output: 'table', fields: revisionFields });
  },
});
