import { PlatformError } from '@mooring/errors';
import { defineCommand } from '../../command.ts';
import { changeFlags, fileFlag, localFlag, noWaitFlag, optionalEndpoint, optionalName } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Change a deployment; its old instances serve until the new ones are ready',
  flags: {
    name: optionalName('deployment'),
    endpoint: optionalEndpoint,
    file: fileFlag,
    ...changeFlags,
    skipScriptValidation: {
      kind: 'switch',
      names: ['--skip-script-validation'],
      about: 'do not parse the scoring script here',
    },
    noWait: noWaitFlag,
    local: localFlag,
  },
  examples: [
    'mooring online-deployment update -n luca -e cars --set instance_count=2',
    'mooring online-deployment update -f luca.yml',
    'mooring online-deployment update -n luca -e cars --set environment_variables.LEVEL=debug',
  ],
  async run(args, context) {
    const { loadValue, loadYaml, yamlShapeOf } = await import('@mooring/azureml/yaml');
    const { applyDeployment, checkScriptSyntax } = await import('@mooring/sdk');
    const options = {
      kind: 'online-deployment',
      sets: args.set,
      adds: args.add,
      removes: args.remove,
      overrides: { name: args.name, endpoint_name: args.endpoint },
      checkScript: args.skipScriptValidation ? undefined : checkScriptSyntax,
    } as const;
    if (args.file === undefined) requireChange(args);
    const fromFile = args.file === undefined ? undefined : await loadYaml(args.file, options);
    const client = await context.client();
    const present = await client.onlineDeployments.get(
      fromFile?.endpointName ?? args.endpoint ?? '',
      fromFile?.name ?? args.name ?? '',
      context,
    );
    const shape = yamlShapeOf('online-deployment', present.body);
    const draft =
      fromFile ??
      (await loadValue(shape, { ...options, what: `deployment ${args.endpoint}/${args.name}`, baseDir: '.' }));
    const stored = await context.progress((onStep) =>
      applyDeployment(draft, {
        client,
        onStep,
        signal: context.signal,
        wait: !args.noWait,
        ifMatch: present.etag,
      }).catch((thrown: unknown) => {
        const failed = (thrown as { code?: string }).code === 'failed_precondition';
        if (failed)
          context.nextStep = `read its logs: mooring online-deployment get-logs -n ${draft.name} -e ${draft.endpointName}`;
        throw thrown;
      }),
    );
    await context.print(yamlShapeOf('online-deployment', stored.body));
  },
});

interface Given {
  name: string | undefined;
  endpoint: string | undefined;
  set: readonly string[];
  add: readonly string[];
  remove: readonly string[];
}

function requireChange({ name, endpoint, set, add, remove }: Given): void {
  const problems = [
    ...(name === undefined
      ? [{ path: '--name/-n', problem: 'is missing', expected: 'the deployment, or a file' }]
      : []),
    ...(endpoint === undefined
      ? [{ path: '--endpoint-name/-e', problem: 'is missing', expected: 'the endpoint, or a file' }]
      : []),
    ...(set.length + add.length + remove.length === 0
      ? [{ path: '(flags)', problem: 'change nothing', expected: '--set, --add, --remove or --file' }]
      : []),
  ];
  if (problems.length > 0)
    throw new PlatformError('invalid_argument', 'BAD_ARGUMENTS', 'the command line is not right', { problems });
}
