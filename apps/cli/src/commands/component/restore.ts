import { defineCommand } from '../../command.ts';
import { archiveFlags, setArchived } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Show an archived component in lists again',
  flags: archiveFlags('component'),
  examples: ['mooring component restore -n kelp_rate -v 1'],
  run: (args, context) => setArchived('component', args, false, context),
});
