import { defineCommand } from '../../command.ts';
import { updateAsset, updateFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Change the description, tags or properties of a version',
  flags: updateFlags('model'),
  examples: ['mooring model update -n fern -v 3 --set tags.team=shapes'],
  run: (args, context) => updateAsset('model', args, context),
});
