import { defineCommand } from '../../command.ts';
import { archiveFlags, setArchived } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Show an archived data asset in lists again',
  flags: archiveFlags('data'),
  examples: ['mooring data restore -n kelp-inputs -v 1'],
  run: (args, context) => setArchived('data', args, false, context),
});
