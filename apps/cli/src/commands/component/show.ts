import { defineCommand } from '../../command.ts';
import { showAsset, showFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Show a version of a component, the newest if none is named',
  flags: showFlags('component'),
  examples: ['mooring component show -n kelp_rate -v 1'],
  run: (args, context) => showAsset('component', args, context),
});
