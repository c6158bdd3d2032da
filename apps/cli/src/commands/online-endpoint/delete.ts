import { defineCommand } from '../../command.ts';
import { confirm } from '../../shared/confirm.ts';
import { localFlag, nameFlag, noWaitFlag, yesFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Delete an endpoint and its deployments',
  flags: { name: nameFlag('endpoint'), yes: yesFlag, noWait: noWaitFlag, local: localFlag },
  examples: ['mooring online-endpoint delete -n cars --yes'],
  async run(args, context) {
    await confirm(`Delete the endpoint '${args.name}' and everything behind it?`, args.yes, context);
    const client = await context.client();
    const there = await context.progress((onStep) => {
      onStep({ step: `deleting endpoint ${args.name}` });
      return client.onlineEndpoints.delete(args.name, { onStep, wait: !args.noWait, signal: context.signal });
    });
    if (!there) context.note(`there was no endpoint '${args.name}'`);
  },
});
