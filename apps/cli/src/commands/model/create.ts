import { resolve } from 'node:path';
import { defineCommand } from '../../command.ts';
import { fileFlag, laterFlag, optionalName, registryFlag, setFlag, versionFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Register a version of a model',
  about: 'Without a version it gets the next free number.',
  flags: {
    name: optionalName('model'),
    version: versionFlag,
    file: fileFlag,
    path: { kind: 'text', names: ['--path', '-p'], value: 'PATH', about: 'file or folder of the model' },
    type: { kind: 'text', names: ['--type', '-t'], value: 'TYPE', about: 'custom_model, mlflow_model or triton_model' },
    stage: { kind: 'text', names: ['--stage'], value: 'STAGE', about: 'stage, such as Production' },
    description: { kind: 'text', names: ['--description', '-d'], value: 'TEXT', about: 'description' },
    set: setFlag,
    registry: registryFlag,
    datastore: laterFlag(['--datastore'], 'datastores of your own come'),
  },
  examples: ['mooring model create -f model.yml', 'mooring model create -n fern -p artifacts/fern'],
  async run(args, context) {
    const { loadValue, loadYaml, yamlShapeOf } = await import('@mooring/azureml/yaml');
    const { applyModel } = await import('@mooring/sdk');
    const { name, version, type, stage, description } = args;
    // A path given by flag is relative to the current folder, not to the file's; addresses stay as they are.
    const path = args.path === undefined || /^[a-z]+:/i.test(args.path) ? args.path : resolve(args.path);
    const options = {
      kind: 'model',
      sets: args.set,
      overrides: { name, version, path, type, stage, description },
    } as const;
    const draft =
      args.file === undefined
        ? await loadValue({}, { ...options, what: 'the model', baseDir: '.' })
        : await loadYaml(args.file, options);
    const client = await context.client();
    const stored = await context.progress((onStep) => applyModel(draft, { client, onStep, signal: context.signal }));
    await context.print(yamlShapeOf('model', stored.body));
  },
});
