import { defineCommand } from '../../command.ts';
import { endpointFlag, localFlag, nameFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Show a deployment',
  flags: { name: nameFlag('deployment'), endpoint: endpointFlag, local: localFlag },
  examples: ['mooring online-deployment show -n luca -e cars'],
  async run(args, context) {
    const { yamlShapeOf } = await import('@mooring/azureml/yaml');
    const client = await context.client();
    const { body } = await client.onlineDeployments.get(args.endpoint, args.name, context);
    await context.print(yamlShapeOf('online-deployment', body));
  },
});
