import { defineCommand } from '../../command.ts';
import { updateAsset, updateFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Change the description, tags or properties of a version',
  flags: updateFlags('component'),
  examples: ['mooring component update -n kelp_rate -v 1 --set tags.team=shapes'],
  run: (args, context) => updateAsset('component', args, context),
});
