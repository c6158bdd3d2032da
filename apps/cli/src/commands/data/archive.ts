import { defineCommand } from '../../command.ts';
import { archiveFlags, setArchived } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Hide a data asset from lists; jobs that use it go on',
  flags: archiveFlags('data'),
  examples: ['mooring data archive -n kelp-inputs -v 1'],
  run: (args, context) => setArchived('data', args, true, context),
});
