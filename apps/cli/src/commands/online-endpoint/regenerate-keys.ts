import { defineCommand } from '../../command.ts';
import { nameFlag, noWaitFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Replace one of the two keys; the other goes on working',
  flags: {
    name: nameFlag('endpoint'),
    keyType: {
      kind: 'text',
      names: ['--key-type'],
      value: 'KEY',
      about: 'primary or secondary',
      choices: ['primary', 'secondary'],
    },
    noWait: noWaitFlag,
  },
  examples: ['mooring online-endpoint regenerate-keys -n cars --key-type primary'],
  async run(args, context) {
    const client = await context.client();
    const type = args.keyType ?? 'primary';
    await client.onlineEndpoints.regenerateKeys(args.name, type === 'primary' ? 'Primary' : 'Secondary', {
      wait: !args.noWait,
      signal: context.signal,
    });
    context.note(`the ${type} key of '${args.name}' is new; get-credentials prints it`);
  },
});
