import { defineCommand } from '../../command.ts';
import { createAsset } from '../../shared/create-asset.ts';
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
    const { applyModel } = await import('@mooring/sdk');
    const { name, version, type, stage, description } = args;
    const own = { what: 'the model', overrides: { name, version, type, stage, description }, sets: args.set };
    await createAsset('model', { ...own, file: args.file, path: args.path }, applyModel, context);
  },
});
