import { defineCommand } from '../../command.ts';
import { endpointFlag, localFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'List the deployments of an endpoint',
  flags: { endpoint: endpointFlag, local: localFlag },
  examples: ['mooring online-deployment list -e cars -o table'],
  async run(args, context) {
    const { yamlShapeOf } = await import('@mooring/azureml/yaml');
    const client = await context.client();
    const deployments = await client.onlineDeployments.list(args.endpoint, context);
    const fields = ['name', 'model', 'instance_type', 'instance_count', 'provisioning_state'];
    await context.print(
      deployments.map((body) => yamlShapeOf('online-deployment', body)),
      { fields },
    );
  },
});
