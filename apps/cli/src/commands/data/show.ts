import { defineCommand } from '../../command.ts';
import { showAsset, showFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Show a version of a data asset, the newest if none is named',
  flags: showFlags('data'),
  examples: ['mooring data show -n kelp-inputs -v 1'],
  run: (args, context) => showAsset('data', args, context),
});
