import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  summary: 'Print the completion for bash',
  about: 'Completes `mooring`: put tools in PATH, or make `alias mooring=tools/mooring`.',
  flags: {},
  examples: ['source <(mooring completion bash)'],
  async run(_args, context) {
    const { bashCompletion } = await import('../../shared/completion.ts');
    context.printText(`${await bashCompletion()}\n`);
  },
});
