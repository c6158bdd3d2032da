import { PlatformError } from '@mooring/errors';
import { defineCommand } from '../../command.ts';
import { requireUpdate, updateEndpoint } from '../../shared/endpoints.ts';
import { changeFlags, fileFlag, localFlag, noWaitFlag, optionalName } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Change an endpoint: its default deployment, its description',
  flags: {
    name: optionalName('endpoint'),
    file: fileFlag,
    defaults: {
      kind: 'words',
      names: ['--defaults', '--set-defaults'],
      value: 'deployment_name=NAME',
      about: 'the deployment of jobs that name none',
    },
    ...changeFlags,
    noWait: noWaitFlag,
    local: localFlag,
  },
  examples: [
    'mooring batch-endpoint update -n car-photos --defaults deployment_name=luca',
    'mooring batch-endpoint update -n car-photos --set tags.team=shapes',
    'mooring batch-endpoint update -n car-photos --remove defaults.deployment_name',
  ],
  async run(args, context) {
    requireUpdate(args, ['--defaults'], args.defaults.length > 0);
    const sets = [...args.set, ...args.defaults.map(defaultOf)];
    await updateEndpoint('batch-endpoint', { ...args, set: sets }, context, ({ body }, present) => {
      const { defaults } = present.body.properties;
      // What is stored was changed field by field; only a file may not speak of it.
      if (args.file === undefined || defaults === undefined) return body;
      return { ...body, properties: { defaults, ...body.properties } };
    });
  },
});

function defaultOf(word: string): string {
  const [, name = ''] = /^deployment_name=(.*)$/s.exec(word) ?? [];
  if (name !== '') return `defaults.deployment_name=${name}`;
  const problem = `'${word.replace(/\p{Cc}/gu, '?').slice(0, 60)}' is no default of an endpoint`;
  throw new PlatformError('invalid_argument', 'BAD_ARGUMENTS', 'the command line is not right', {
    problems: [{ path: '--defaults', problem, expected: 'deployment_name=NAME' }],
  });
}
