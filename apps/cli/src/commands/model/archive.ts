import { defineCommand } from '../../command.ts';
import { archiveFlags, setArchived } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Hide a model from lists; what uses it goes on working',
  flags: archiveFlags('model'),
  examples: ['mooring model archive -n fern -v 3'],
  run: (args, context) => setArchived('model', args, true, context),
});
