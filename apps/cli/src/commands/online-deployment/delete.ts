import { defineCommand } from '../../command.ts';
import { confirm } from '../../shared/confirm.ts';
import { endpointFlag, localFlag, nameFlag, noWaitFlag, yesFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Delete a deployment that gets no live traffic',
  flags: { name: nameFlag('deployment'), endpoint: endpointFlag, yes: yesFlag, noWait: noWaitFlag, local: localFlag },
  examples: ['mooring online-deployment delete -n martina -e cars --yes'],
  async run(args, context) {
    await confirm(`Delete the deployment '${args.name}' of '${args.endpoint}'?`, args.yes, context);
    const client = await context.client();
    const there = await context.progress((onStep) => {
      onStep({ step: `deleting deployment ${args.endpoint}/${args.name}` });
      return client.onlineDeployments.delete(args.endpoint, args.name, {
        onStep,
        wait: !args.noWait,
        signal: context.signal,
      });
    });
    if (!there) context.note(`there was no deployment '${args.name}' behind '${args.endpoint}'`);
  },
});
