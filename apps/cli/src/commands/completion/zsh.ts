import { defineCommand } from '../../command.ts';

export const command = defineCommand({
  summary: 'Print the completion for zsh',
  about: 'Completes `mooring`: put tools in PATH, or make `alias mooring=tools/mooring`.',
  flags: {},
  examples: ['source <(mooring completion zsh)'],
  async run(_args, context) {
    const { bashCompletion } = await import('../../shared/completion.ts');
    context.printText(`autoload -U +X bashcompinit && bashcompinit\n${await bashCompletion()}\n`);
  },
});
