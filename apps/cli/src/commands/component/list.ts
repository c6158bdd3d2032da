import { defineCommand } from '../../command.ts';
import { listAssets, listFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'List the components, or the versions of one',
  flags: listFlags,
  examples: ['mooring component list -o table', 'mooring component list -n kelp_rate -o table'],
  run: (args, context) => listAssets('component', args, context),
});
