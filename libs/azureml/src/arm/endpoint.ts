import type { OnlineEndpointSpec, Stored } from '@mooring/domain';
import { choice, later, mapOf, object, readOnly, required, text, whole, type Reading } from '../reading/fields.ts';
import type { ArmContext } from './envelope.ts';
import { envelope, lowerCaseShares, textMap } from './scalars.ts';
import { present } from '../reading/present.ts';

const managedIdentities = 'identities managed by Azure';

/** Of endpoints of any kind. */
export const identity = object({
  type: required(
    choice(
      { SystemAssigned: 'SystemAssigned', None: 'None' },
      { UserAssigned: managedIdentities, 'SystemAssigned,UserAssigned': managedIdentities },
    ),
  ),
  principalId: readOnly,
  tenantId: readOnly,
  userAssignedIdentities: mapOf(later(managedIdentities)),
});

const fields = object(
  {
    ...envelope,
    location: text(),
    tags: textMap,
    sku: readOnly,
    identity,
    properties: required(
      object({
        authMode: choice(
          { Key: 'key' },
          {
            AMLToken: 'token authentication (authMode AMLToken)',
            AADToken: 'Entra ID authentication (authMode AADToken)',
          },
        ),
        description: text(),
        properties: textMap,
        traffic: mapOf(whole(0, 100)),
        mirrorTraffic: mapOf(whole(0, 50)),
        publicNetworkAccess: choice({ Enabled: 'enabled', Disabled: 'disabled' }),
        keys: later('keys chosen by the caller; keys are made by the server'),
        compute: later('Kubernetes as a compute target'),
        scoringUri: readOnly,
        swaggerUri: readOnly,
        provisioningState: readOnly,
        mooring: readOnly,
      }),
    ),
  },
  'an online endpoint',
);

/** azureml-contract 3.4, `OnlineEndpoint`, with the defaults of its section 1.2. */
export function endpointFromArm(body: unknown, reading: Reading): OnlineEndpointSpec {
  const read = fields.read(body, '', reading);
  const properties = read?.properties ?? {};
  const traffic = lowerCaseShares(properties.traffic ?? {});
  const mirrorTraffic = lowerCaseShares(properties.mirrorTraffic ?? {});
  noteShares(traffic, mirrorTraffic, reading);
  return present({
    description: properties.description,
    tags: read?.tags ?? {},
    properties: properties.properties ?? {},
    authMode: (properties.authMode ?? 'key') as OnlineEndpointSpec['authMode'],
    traffic,
    mirrorTraffic,
    publicNetworkAccess: (properties.publicNetworkAccess ?? 'enabled') as OnlineEndpointSpec['publicNetworkAccess'],
    identity: { type: read?.identity?.type ?? 'SystemAssigned' },
  }) as OnlineEndpointSpec;
}

/** What a table says by itself; whether its deployments exist only the registry knows. */
function noteShares(traffic: Record<string, number>, mirror: Record<string, number>, reading: Reading): void {
  const at = 'properties.traffic';
  const sum = Object.values(traffic).reduce((total, percent) => total + percent, 0);
  if (sum !== 0 && sum !== 100 && !reading.problems.some(({ path }) => path.startsWith(at))) {
    reading.problems.push({ path: at, problem: `sums to ${sum}`, expected: 'a sum of 0 or 100' });
  }
  for (const name of Object.keys(mirror)) {
    const live = Object.hasOwn(traffic, name) ? traffic[name] : undefined;
    if (live === undefined) continue;
    reading.problems.push({
      path: `properties.mirrorTraffic.${name}`,
      problem: `'${name}' already gets ${live} % of the live traffic`,
      expected: 'a deployment without live traffic',
    });
  }
}

const authModes = { key: 'Key', aml_token: 'AMLToken', aad_token: 'AADToken' } as const;

export function endpointToArm(stored: Stored<'online-endpoint'>, context: ArmContext): Record<string, unknown> {
  const { spec } = stored;
  const url = `${context.gatewayUrl}/endpoints/${encodeURIComponent(stored.key)}`;
  return {
    identity: { type: spec.identity?.type ?? 'SystemAssigned' },
    kind: 'Managed',
    properties: present({
      description: spec.description,
      authMode: authModes[spec.authMode],
      properties: spec.properties,
      traffic: spec.traffic,
      mirrorTraffic: spec.mirrorTraffic,
      publicNetworkAccess: spec.publicNetworkAccess === 'enabled' ? 'Enabled' : 'Disabled',
      scoringUri: `${url}/score`,
      swaggerUri: `${url}/swagger.json`,
    }),
  };
}
