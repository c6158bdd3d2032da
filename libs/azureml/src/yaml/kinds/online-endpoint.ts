import type { EndpointDraft } from '../drafts.ts';
import { choice, later, listOf, object, readOnly, required, text, whole, type Reading } from '../../reading/fields.ts';
import { commonFields, endpointName, sharesOf } from './common.ts';
import { ofKind } from './deployment-parts.ts';
import { present } from '../../reading/present.ts';

const managedIdentities = 'identities managed by Azure';

/** Of endpoints of any kind. */
export const identity = object({
  type: choice({ system_assigned: 'SystemAssigned', none: 'None' }, { user_assigned: managedIdentities }),
  principal_id: readOnly,
  tenant_id: readOnly,
  user_assigned_identities: listOf(object({ resource_id: text(), principal_id: readOnly, client_id: readOnly })),
});

const fields = object(
  {
    name: required(endpointName),
    auth_mode: choice(
      { key: 'Key' },
      {
        aml_token: 'token authentication (auth_mode aml_token)',
        aad_token: 'Entra ID authentication (auth_mode aad_token)',
      },
    ),
    traffic: sharesOf(whole(0, 100)),
    mirror_traffic: sharesOf(whole(0, 50)),
    public_network_access: choice({ enabled: 'Enabled', disabled: 'Disabled' }),
    identity,
    compute: later('Kubernetes as a compute target'),
    defaults: ofKind('batch-endpoint'),
    model_id: later('serverless endpoints'),
    scoring_uri: readOnly,
    openapi_uri: readOnly,
    location: readOnly,
    kind: readOnly,
    ...commonFields,
  },
  'an online endpoint',
);

/** azureml-contract 1.2. Undefined when a problem was noted. */
export function readOnlineEndpoint(value: unknown, reading: Reading): EndpointDraft | undefined {
  const read = fields.read(value, '', reading);
  const traffic = read?.traffic && byLowerCase(read.traffic, 'traffic', reading);
  const mirrorTraffic = read?.mirror_traffic && byLowerCase(read.mirror_traffic, 'mirror_traffic', reading);
  noteSum(traffic, reading);
  noteMirrorOfLive(mirrorTraffic, traffic, reading);
  if (read?.name === undefined || reading.problems.length > 0) return undefined;
  return {
    kind: 'online-endpoint',
    name: read.name,
    body: {
      location: 'local',
      tags: read.tags ?? {},
      identity: { type: read.identity?.type ?? 'SystemAssigned' },
      properties: present({
        description: read.description,
        authMode: read.auth_mode ?? 'Key',
        properties: read.properties ?? {},
        traffic,
        mirrorTraffic,
        publicNetworkAccess: read.public_network_access,
      }),
    },
  };
}

function byLowerCase(table: Record<string, number>, path: string, reading: Reading): Record<string, number> {
  const entries = new Map<string, number>();
  for (const [name, percent] of Object.entries(table)) {
    if (entries.has(name.toLowerCase())) {
      reading.problems.push({
        path: `${path}.${name}`,
        problem: 'is there twice: names do not differ by case',
        expected: 'each deployment once',
      });
    }
    entries.set(name.toLowerCase(), percent);
  }
  return Object.fromEntries(entries);
}

function noteSum(traffic: Record<string, number> | undefined, reading: Reading): void {
  if (traffic === undefined || reading.problems.some(({ path }) => path.startsWith('traffic'))) return;
  const sum = Object.values(traffic).reduce((total, percent) => total + percent, 0);
  if (sum !== 0 && sum !== 100)
    reading.problems.push({ path: 'traffic', problem: `sums to ${sum}`, expected: 'a sum of 0 or 100' });
}

function noteMirrorOfLive(
  mirror: Record<string, number> | undefined,
  traffic: Record<string, number> | undefined,
  reading: Reading,
): void {
  for (const [name, percent] of Object.entries(mirror ?? {})) {
    const live = traffic?.[name] ?? 0;
    if (percent > 0 && live > 0) {
      reading.problems.push({
        path: `mirror_traffic.${name}`,
        problem: `'${name}' already gets ${live} % of the live traffic`,
        expected: 'a deployment without live traffic',
      });
    }
  }
}
