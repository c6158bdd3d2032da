import type { ArmBody } from '@mooring/azureml/yaml';
import type { FieldProblem } from '@mooring/errors';
import type { StoredResource } from '@mooring/sdk';
import { defineCommand } from '../../command.ts';
import { requireUpdate, updateEndpoint } from '../../shared/endpoints.ts';
import { changeFlags, fileFlag, localFlag, noWaitFlag, optionalName } from '../../shared/flags.ts';
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
    defaults: {
      kind: 'refused',
      names: ['--defaults', '--set-defaults'],
      about: 'refused',
      hidden: true,
      instead: 'only batch endpoints have defaults: mooring batch-endpoint update --defaults',
    },
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
    const shared = traffic !== undefined || mirror !== undefined;
    requireUpdate(args, ['--traffic', '--mirror-traffic'], shared, problems);
    await updateEndpoint('online-endpoint', args, context, (draft, present) =>
      withTraffic(draft.body, present, traffic, mirror),
    );
  },
});

type Shares = Record<string, number>;

/** The draft's tables, else those that are set, with the changes of the flags. */
function withTraffic(
  body: ArmBody,
  present: StoredResource,
  traffic: Shares | undefined,
  mirror: Shares | undefined,
): ArmBody {
  const tables = { ...present.body.properties, ...body.properties } as {
    traffic?: Shares;
    mirrorTraffic?: Shares;
  };
  const live = tables.traffic ?? {};
  const mirrored = tables.mirrorTraffic ?? {};
  return {
    ...body,
    properties: {
      ...body.properties,
      traffic: traffic === undefined ? live : mergedTraffic(live, traffic),
      mirrorTraffic: mirror === undefined ? mirrored : withoutZeros({ ...mirrored, ...mirror }),
    },
  };
}
