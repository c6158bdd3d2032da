import { defineCommand } from '../../command.ts';
import { createAsset } from '../../shared/create-asset.ts';
import { fileFlag, laterFlag, optionalName, registryFlag, setFlag, versionFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Register a version of a data asset',
  about:
    'Without a version it gets the next free number. Files of this machine are uploaded; identical content is not sent twice.',
  flags: {
    name: optionalName('data asset'),
    version: versionFlag,
    file: fileFlag,
    path: {
      kind: 'text',
      names: ['--path', '-p'],
      value: 'PATH',
      about: 'file or folder of this machine, or azureml://datastores/<name>/paths/<path>',
    },
    type: { kind: 'text', names: ['--type', '-t'], value: 'TYPE', about: 'uri_folder, uri_file or mltable' },
    description: { kind: 'text', names: ['--description', '-d'], value: 'TEXT', about: 'description' },
    set: setFlag,
    registry: registryFlag,
    datastore: laterFlag(['--datastore'], 'datastores of your own come'),
    skipValidation: {
      kind: 'switch',
      names: ['--skip-validation'],
      about: 'taken for Azure’s sake',
      hidden: true,
    },
  },
  examples: [
    'mooring data create -f data.yml',
    'mooring data create -n kelp-inputs -p data/unlabelled',
    'mooring data create -n kelp-rows -t uri_file -p rows.jsonl',
  ],
  async run(args, context) {
    const { applyData } = await import('@mooring/sdk');
    const { name, version, type, description } = args;
    const own = { what: 'the data asset', overrides: { name, version, type, description }, sets: args.set };
    await createAsset('data', { ...own, file: args.file, path: args.path }, applyData, context);
  },
});
