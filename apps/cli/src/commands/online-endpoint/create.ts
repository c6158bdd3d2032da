import { defineCommand } from '../../command.ts';
import { fileFlag, localFlag, noWaitFlag, optionalName, setFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Create an endpoint, or replace its description',
  about: 'Traffic that the file does not speak of stays as it is.',
  flags: {
    name: optionalName('endpoint'),
    file: fileFlag,
    authMode: { kind: 'text', names: ['--auth-mode'], value: 'MODE', about: 'key' },
    set: setFlag,
    noWait: noWaitFlag,
    local: localFlag,
  },
  examples: ['mooring online-endpoint create -f endpoint.yml', 'mooring online-endpoint create -n cars'],
  async run(args, context) {
    const { loadValue, loadYaml, yamlShapeOf } = await import('@mooring/azureml/yaml');
    const { applyEndpoint } = await import('@mooring/sdk');
    const options = {
      kind: 'online-endpoint',
      sets: args.set,
      overrides: { name: args.name, auth_mode: args.authMode },
    } as const;
    const draft =
      args.file === undefined
        ? await loadValue({}, { ...options, what: 'the endpoint', baseDir: '.' })
        : await loadYaml(args.file, options);
    const client = await context.client();
    const stored = await context.progress((onStep) =>
      applyEndpoint(draft, { client, onStep, signal: context.signal, wait: !args.noWait }),
    );
    await context.print(yamlShapeOf('online-endpoint', stored.body));
  },
});
