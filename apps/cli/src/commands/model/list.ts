import { defineCommand } from '../../command.ts';
import { listAssets, listFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'List the models, or the versions of one',
  flags: listFlags,
  examples: ['mooring model list -o table', 'mooring model list -n fern -o table'],
  run: (args, context) => listAssets('model', args, context),
});
