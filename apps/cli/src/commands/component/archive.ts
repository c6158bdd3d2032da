import { defineCommand } from '../../command.ts';
import { archiveFlags, setArchived } from '../../shared/assets.ts';

export const command = defineCommand({
  summary: 'Hide a component from lists; jobs and deployments that use it go on',
  flags: archiveFlags('component'),
  examples: ['mooring component archive -n kelp_rate -v 1'],
  run: (args, context) => setArchived('component', args, true, context),
});
