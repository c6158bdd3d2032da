import { defineCommand } from '../../command.ts';
import { createDeployment, createDeploymentFlags } from '../../shared/deployments.ts';
import { laterFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Create a deployment, or replace it without losing a request',
  about:
    'The file and everything that it names are checked before anything is uploaded. Identical content is not sent twice.',
  flags: {
    ...createDeploymentFlags,
    allTraffic: { kind: 'switch', names: ['--all-traffic'], about: 'then send all live requests to it' },
    packageModel: laterFlag(['--package-model', '--with-package'], 'packaged models come'),
    debugging: laterFlag(['--vscode-debug', '--local-enable-gpu'], 'debugging in an editor and GPUs come'),
  },
  examples: [
    'mooring online-deployment create -f luca.yml',
    'mooring online-deployment create -f martina.yml --all-traffic',
  ],
  async run(args, context) {
    const { updateTraffic } = await import('@mooring/sdk');
    await createDeployment(
      'online-deployment',
      args,
      context,
      !args.allTraffic
        ? undefined
        : (draft, apply) => {
            apply.onStep?.({ step: `sending all traffic of ${draft.endpointName} to ${draft.name}` });
            const name = draft.name.toLowerCase();
            return updateTraffic(
              draft.endpointName,
              ({ mirrorTraffic }) => ({
                traffic: { [name]: 100 },
                // What becomes live can no longer be a mirror.
                mirrorTraffic: Object.fromEntries(
                  Object.entries(mirrorTraffic).filter(([mirrored]) => mirrored !== name),
                ),
              }),
              apply,
            );
          },
    );
  },
});
