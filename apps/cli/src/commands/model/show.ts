import { defineCommand } from '../../command.ts';
import { showAsset, showFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Show a version of a model, the newest if none is named',
  flags: showFlags('model'),
  examples: ['mooring model show -n fern -v 3'],
  run: (args, context) => showAsset('model', args, context),
});
