import { defineCommand } from '../../command.ts';
import { createAsset } from '../../shared/create-asset.ts';
import { fileFlag, optionalName, registryFlag, setFlag, versionFlag } from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Register a version of a component: a command, a parallel script or a pipeline of them',
  about: 'Without a version it gets the next free number. Files of its steps are stored with it.',
  flags: {
    name: optionalName('component'),
    version: versionFlag,
    file: { ...fileFlag, required: true },
    set: setFlag,
    registry: registryFlag,
  },
  examples: ['mooring component create -f rate.yml', 'mooring component create -f pipe/pipeline.yml --version 2'],
  async run(args, context) {
    const { applyComponent } = await import('@mooring/sdk');
    const { name, version } = args;
    const own = { what: 'the component', overrides: { name, version }, sets: args.set };
    await createAsset('component', { ...own, file: args.file }, applyComponent, context);
  },
});
