import type { EndpointDraft } from '@mooring/azureml/yaml';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import type { StoredResource } from '@mooring/sdk';
import { defineCommand } from '../../command.ts';
import { changeFlags, fileFlag, laterFlag, localFlag, noWaitFlag, optionalName } from '../../shared/flags.ts';
import { mergedTraffic, parseShares, withoutZeros } from '../../shared/traffic.ts';

export const command = defineCommand({
  summary: 'Change an endpoint: its traffic, its mirror, its description',
  about: 'Shares are changed by name: deployments that are not named keep theirs. Live shares must sum to 0 or 100.',
  flags: {
    name: optionalName('endpoint'),
    file: fileFlag,
    traffic: {
      kind: 'words',
      names: ['--traffic'],
      value: '"A=90 B=10"',
      about: 'percent of the live requests, by deployment',
    },
    mirrorTraffic: {
      kind: 'words',
      names: ['--mirror-traffic'],
      value: '"B=10"',
      about: 'percent of the live requests that is copied, by deployment; 0 ends it',
    },
    ...changeFlags,
    noWait: noWaitFlag,
    local: localFlag,
    defaults: laterFlag(['--defaults', '--set-defaults'], 'batch endpoints come'),
  },
  examples: [
    'mooring online-endpoint update -n cars --traffic "martina=90 luca=10"',
    'mooring online-endpoint update -n cars --mirror-traffic "luca=20"',
    'mooring online-endpoint update -n cars --set tags.team=shapes',
  ],
  async run(args, context) {
    const problems: FieldProblem[] = [];
    const traffic = args.traffic.length === 0 ? undefined : parseShares(args.traffic, '--traffic', 100, problems);
    const mirror =
      args.mirrorTraffic.length === 0 ? undefined : parseShares(args.mirrorTraffic, '--mirror-traffic', 50, problems);
    const changed = args.set.length + args.add.length + args.remove.length > 0;
    if (args.name === undefined && args.file === undefined)
      problems.push({ path: '--name/-n', problem: 'is missing', expected: 'the endpoint, or a file' });
    if (traffic === undefined && mirror === undefined && !changed && args.file === undefined && problems.length === 0) {
      problems.push({
        path: '(flags)',
        problem: 'change nothing',
        expected: '--traffic, --mirror-traffic, --set, --add, --remove or --file',
      });
    }
    if (problems.length > 0)
      throw new PlatformError('invalid_argument', 'BAD_ARGUMENTS', 'the command line is not right', { problems });
    const { loadValue, loadYaml, yamlShapeOf } = await import('@mooring/azureml/yaml');
    const { whileStale } = await import('@mooring/sdk');
    const client = await context.client();
    const options = {
      kind: 'online-endpoint',
      sets: args.set,
      adds: args.add,
      removes: args.remove,
      overrides: { name: args.name },
    } as const;
    const fromFile = args.file === undefined ? undefined : await loadYaml(args.file, options);
    const update = async (onStep: (step: { step: string }) => void): Promise<StoredResource> => {
      const name = fromFile?.name ?? args.name ?? '';
      const present = await client.onlineEndpoints.get(name, context);
      const draft =
        fromFile ??
        (await loadValue(yamlShapeOf('online-endpoint', present.body), {
          ...options,
          what: `endpoint ${name}`,
          baseDir: '.',
        }));
      const body = withTraffic(draft, present, traffic, mirror);
      onStep({ step: `updating endpoint ${name}` });
      return client.onlineEndpoints.put(name, body, {
        ifMatch: present.etag,
        wait: !args.noWait,
        onStep,
        signal: context.signal,
      });
    };
    const stored = await context.progress((onStep) => whileStale(() => update(onStep)));
    await context.print(yamlShapeOf('online-endpoint', stored.body));
  },
});

type Shares = Record<string, number>;

/** The draft's tables, else those that are set, with the changes of the flags. */
function withTraffic(
  draft: EndpointDraft,
  present: StoredResource,
  traffic: Shares | undefined,
  mirror: Shares | undefined,
): EndpointDraft['body'] {
  const tables = { ...present.body.properties, ...draft.body.properties } as {
    traffic?: Shares;
    mirrorTraffic?: Shares;
  };
  const live = tables.traffic ?? {};
  const mirrored = tables.mirrorTraffic ?? {};
  return {
    ...draft.body,
    properties: {
      ...draft.body.properties,
      traffic: traffic === undefined ? live : mergedTraffic(live, traffic),
      mirrorTraffic: mirror === undefined ? mirrored : withoutZeros({ ...mirrored, ...mirror }),
    },
  };
}
