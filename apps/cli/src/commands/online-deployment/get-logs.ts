import { defineCommand } from '../../command.ts';
import { endpointFlag, localFlag, nameFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Print what a deployment wrote: its script, its server, its start',
  flags: {
    name: nameFlag('deployment'),
    endpoint: endpointFlag,
    lines: {
      kind: 'whole',
      names: ['--lines', '-l'],
      value: 'N',
      about: 'the last N lines (5000)',
      smallest: 1,
      largest: 100_000,
    },
    container: {
      kind: 'text',
      names: ['--container', '-c'],
      value: 'CONTAINER',
      about: 'inference-server, or storage-initializer: how files and packages were prepared',
      choices: ['inference-server', 'storage-initializer'],
    },
    local: localFlag,
  },
  examples: ['mooring online-deployment get-logs -n luca -e cars -l 100'],
  async run(args, context) {
    const client = await context.client();
    const containerType = args.container === 'storage-initializer' ? 'StorageInitializer' : 'InferenceServer';
    const content = await client.onlineDeployments.getLogs(
      args.endpoint,
      args.name,
      { tail: args.lines ?? 5000, containerType },
      context,
    );
    context.printText(content.endsWith('\n') || content === '' ? content : `${content}\n`);
  },
});
