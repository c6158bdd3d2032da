import { defineCommand } from '../../command.ts';
import { archiveFlags, setArchived } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Show an archived environment in lists again',
  flags: archiveFlags('environment'),
  examples: ['mooring environment restore -n fern -v 3'],
  run: (args, context) => setArchived('environment', args, false, context),
});
