import { defineCommand } from '../../command.ts';
import { archiveFlags, setArchived } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Show an archived model in lists again',
  flags: archiveFlags('model'),
  examples: ['mooring model restore -n fern -v 3'],
  run: (args, context) => setArchived('model', args, false, context),
});
