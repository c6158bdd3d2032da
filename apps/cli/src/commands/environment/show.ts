import { defineCommand } from '../../command.ts';
import { showAsset, showFlags } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Show a version of an environment, the newest if none is named',
  flags: showFlags('environment'),
  examples: ['mooring environment show -n fern -v 3'],
  run: (args, context) => showAsset('environment', args, context),
});
