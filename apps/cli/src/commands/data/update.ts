import { defineCommand } from '../../command.ts';
import { updateAsset, updateFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Change the description, tags or properties of a version',
  flags: updateFlags('data'),
  examples: ['mooring data update -n kelp-inputs -v 1 --set tags.team=shapes'],
  run: (args, context) => updateAsset('data', args, context),
});
