import { defineCommand } from '../../command.ts';
import { archiveFlags, setArchived } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Hide an environment from lists; what uses it goes on working',
  flags: archiveFlags('environment'),
  examples: ['mooring environment archive -n fern -v 3'],
  run: (args, context) => setArchived('environment', args, true, context),
});
