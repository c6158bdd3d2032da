import { defineCommand } from '../../command.ts';
import { listAssets, listFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'List the environments, or the versions of one',
  flags: listFlags,
  examples: ['mooring environment list -o table', 'mooring environment list -n fern -o table'],
  run: (args, context) => listAssets('environment', args, context),
});
