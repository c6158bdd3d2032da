import { defineCommand } from '../../command.ts';
import { createDeployment, createDeploymentFlags } from '../../shared/deployments.ts';
import { registryFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Create a deployment, or replace it; jobs that run are not touched',
  about:
    'The file and everything that it names are checked before anything is uploaded. Identical content is not sent twice.',
  flags: {
    ...createDeploymentFlags,
    setDefault: {
      kind: 'switch',
      names: ['--set-default'],
      about: 'then make it the deployment of jobs that name none',
    },
    registry: registryFlag,
  },
  examples: [
    'mooring batch-deployment create -f luca.yml --set-default',
    'mooring batch-deployment create -f martina.yml -e car-photos --set settings.mini_batch_size=20',
  ],
  async run(args, context) {
    const { setDefaultDeployment } = await import('@mooring/sdk');
    await createDeployment(
      'batch-deployment',
      args,
      context,
      !args.setDefault
        ? undefined
        : ({ endpointName, name }, apply) => {
            apply.onStep?.({ step: `making ${name} the default deployment of ${endpointName}` });
            return setDefaultDeployment(endpointName, name, apply);
          },
    );
  },
});
