import { defineCommand } from '../../command.ts';
import { localFlag, nameFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Show an endpoint',
  flags: { name: nameFlag('endpoint'), local: localFlag },
  examples: ['mooring online-endpoint show -n cars', 'mooring online-endpoint show -n cars --query scoring_uri -o tsv'],
  async run(args, context) {
    const { yamlShapeOf } = await import('@mooring/azureml/yaml');
    const client = await context.client();
    const { body } = await client.onlineEndpoints.get(args.name, context);
    await context.print(yamlShapeOf('online-endpoint', body));
  },
});
