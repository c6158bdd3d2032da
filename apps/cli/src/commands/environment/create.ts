import { resolve } from 'node:path';
import { defineCommand } from '../../command.ts';
import { createAsset } from '../../shared/create-asset.ts';
import { fileFlag, laterFlag, optionalName, registryFlag, setFlag, versionFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Register a version of an environment',
  about: 'Without a version it gets the next free number.',
  flags: {
    name: optionalName('environment'),
    version: versionFlag,
    file: fileFlag,
    image: { kind: 'text', names: ['--image', '-i'], value: 'IMAGE', about: 'base image' },
    condaFile: { kind: 'text', names: ['--conda-file', '-c'], value: 'FILE', about: 'conda YAML; goes with an image' },
    buildContext: {
      kind: 'text',
      names: ['--build-context', '-b'],
      value: 'FOLDER',
      about: 'folder with a Dockerfile',
    },
    dockerfile: { kind: 'text', names: ['--dockerfile-path', '-d'], value: 'FILE', about: 'Dockerfile in that folder' },
    description: { kind: 'text', names: ['--description'], value: 'TEXT', about: 'description' },
    set: setFlag,
    registry: registryFlag,
    datastore: laterFlag(['--datastore'], 'datastores of your own come'),
  },
  examples: [
    'mooring environment create -f environment.yml',
    'mooring environment create -n fern -i mcr.microsoft.com/azureml/minimal-ubuntu22.04-py311-cpu-inference:latest -c conda.yaml',
  ],
  async run(args, context) {
    const { applyEnvironment } = await import('@mooring/sdk');
    const { name, version, image, description } = args;
    // Paths given by flag are relative to the current folder, not to the file's.
    const conda = args.condaFile === undefined ? undefined : resolve(args.condaFile);
    const build = args.buildContext === undefined ? [] : [`build.path=${JSON.stringify(resolve(args.buildContext))}`];
    const dockerfile =
      args.dockerfile === undefined ? [] : [`build.dockerfile_path=${JSON.stringify(args.dockerfile)}`];
    const own = {
      what: 'the environment',
      file: args.file,
      overrides: { name, version, image, conda_file: conda, description },
      sets: [...build, ...dockerfile, ...args.set],
    };
    await createAsset('environment', own, applyEnvironment, context);
  },
});
