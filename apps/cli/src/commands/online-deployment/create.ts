import { defineCommand } from '../../command.ts';
import {
  fileFlag,
  laterFlag,
  localFlag,
  noWaitFlag,
  optionalEndpoint,
  optionalName,
  setFlag,
} from '../../shared/flags.ts';

export const command = defineCommand({
  summary: 'Create a deployment, or replace it without losing a request',
  about:
    'The file and everything that it names are checked before anything is uploaded. Identical content is not sent twice.',
  flags: {
    name: optionalName('deployment'),
    endpoint: optionalEndpoint,
    file: { ...fileFlag, required: true },
    allTraffic: { kind: 'switch', names: ['--all-traffic'], about: 'then send all live requests to it' },
    skipScriptValidation: {
      kind: 'switch',
      names: ['--skip-script-validation'],
      about: 'do not parse the scoring script here',
    },
    set: setFlag,
    noWait: noWaitFlag,
    local: localFlag,
    packageModel: laterFlag(['--package-model', '--with-package'], 'packaged models come'),
    debugging: laterFlag(['--vscode-debug', '--local-enable-gpu'], 'debugging in an editor and GPUs come'),
  },
  examples: [
    'mooring online-deployment create -f luca.yml',
    'mooring online-deployment create -f martina.yml --all-traffic',
  ],
  async run(args, context) {
    const { loadYaml, yamlShapeOf } = await import('@mooring/azureml/yaml');
    const { applyDeployment, checkScriptSyntax, updateTraffic } = await import('@mooring/sdk');
    const draft = await loadYaml(args.file, {
      kind: 'online-deployment',
      sets: args.set,
      overrides: { name: args.name, endpoint_name: args.endpoint },
      checkScript: args.skipScriptValidation ? undefined : checkScriptSyntax,
    });
    const client = await context.client();
    context.nextStep = undefined;
    const stored = await context.progress(async (onStep) => {
      const apply = { client, onStep, signal: context.signal, wait: !args.noWait || args.allTraffic };
      const logs = `mooring online-deployment get-logs -n ${draft.name} -e ${draft.endpointName}`;
      const deployment = await applyDeployment(draft, apply).catch((thrown: unknown) => {
        if ((thrown as { code?: string }).code === 'failed_precondition') context.nextStep = `read its logs: ${logs}`;
        throw thrown;
      });
      if (!args.allTraffic) return deployment;
      onStep({ step: `sending all traffic of ${draft.endpointName} to ${draft.name}` });
      const name = draft.name.toLowerCase();
      await updateTraffic(
        draft.endpointName,
        ({ mirrorTraffic }) => ({
          traffic: { [name]: 100 },
          // What becomes live can no longer be a mirror.
          mirrorTraffic: Object.fromEntries(Object.entries(mirrorTraffic).filter(([mirrored]) => mirrored !== name)),
        }),
        { ...apply, wait: !args.noWait },
      );
      return deployment;
    });
    await context.print(yamlShapeOf('online-deployment', stored.body));
  },
});
