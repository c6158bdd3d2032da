import { defineCommand } from '../../command.ts';
import { listAssets, listFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'List the data assets, or the versions of one',
  flags: listFlags,
  examples: ['mooring data list -o table', 'mooring data list -n kelp-inputs -o table'],
  run: (args, context) => listAssets('data', args, context),
});
