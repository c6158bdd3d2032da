import { defineCommand } from '../../command.ts';
import { nameFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Print the keys of an endpoint',
  flags: { name: nameFlag('endpoint') },
  examples: ['mooring online-endpoint get-credentials -n cars --query primaryKey -o tsv'],
  async run(args, context) {
    const client = await context.client();
    await context.print(await client.onlineEndpoints.listKeys(args.name, context));
  },
});
