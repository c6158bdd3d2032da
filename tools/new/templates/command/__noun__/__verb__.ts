import { defineCommand } from '../../command.ts';
import { nameFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Say in one line what __verb__ does',
  flags: { name: nameFlag('__noun__') },
  examples: ['mooring __noun__ __verb__ -n cars'],
  async run(args, context) {
    // Whatever is dialed or heavy to load is asked for here, so that --help stays quick.
    const client = await context.client();
    const { body } = await client.onlineEndpoints.get(args.name, context);
    await context.print(body);
  },
});
