import { defineCommand } from '../../command.ts';
import { localFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'List the endpoints',
  flags: { local: localFlag },
  examples: ['mooring online-endpoint list -o table'],
  async run(_args, context) {
    const { yamlShapeOf } = await import('@mooring/azureml/yaml');
    const client = await context.client();
    const endpoints = await client.onlineEndpoints.list(context);
    const fields = ['name', 'auth_mode', 'traffic', 'mirror_traffic', 'provisioning_state', 'scoring_uri'];
    await context.print(
      endpoints.map((body) => yamlShapeOf('online-endpoint', body)),
      { fields },
    );
  },
});
