import {
  kindWords,
  laterProblem,
  mirrorProblems,
  trafficProblems,
  type EndpointKind,
  type OnlineEndpointSpec,
  type TrafficTable,
  type SpecProblem,
} from '@mooring/domain';
import { managedIdentities } from './capabilities.ts';

export interface EndpointContext {
  current: OnlineEndpointSpec | undefined;
  /** Names of the endpoint's deployments in lower case, those that are being deleted left out. */
  deployments: ReadonlySet<string>;
}

/** Everything that azureml-contract 1.2 says about an endpoint beyond the shape of its fields. */
export function endpointProblems(spec: OnlineEndpointSpec, { current, deployments }: EndpointContext): SpecProblem[] {
  return [
    ...authProblems(spec),
    ...identityProblems(spec, current),
    ...sharesProblems(spec, current === undefined ? undefined : deployments),
    ...shrunkProperties(spec, current),
  ];
}

/** Endpoints of both kinds have their addresses and keys by name, so that no two may share one. */
export function namesakeProblems(namesake: EndpointKind | undefined, name: string): SpecProblem[] {
  if (namesake === undefined) return [];
  const problem = `there is ${namesake === 'online-endpoint' ? 'an' : 'a'} ${kindWords(namesake)} '${name}' already`;
  return [{ path: 'name', problem, expected: 'a name that no other endpoint has, online or batch' }];
}

/** Tables by names in lower case; a deployment without a share is not in them, which says the same. */
export function normalizeEndpoint(spec: OnlineEndpointSpec): OnlineEndpointSpec {
  return { ...spec, traffic: lowered(spec.traffic), mirrorTraffic: lowered(spec.mirrorTraffic) };
}

function lowered(table: TrafficTable): TrafficTable {
  const entries = Object.entries(table).map(([name, percent]) => [name.toLowerCase(), percent] as const);
  return Object.fromEntries(entries.filter(([, percent]) => percent !== 0).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function authProblems(spec: OnlineEndpointSpec): SpecProblem[] {
  if (spec.authMode === 'aml_token') return [laterProblem('authMode', 'token authentication (auth_mode aml_token)')];
  if (spec.authMode === 'aad_token') return [laterProblem('authMode', 'Entra ID authentication (auth_mode aad_token)')];
  return [];
}

/** `SystemAssigned` and `system_assigned` are the same; absent means it too. */
function identityType(spec: OnlineEndpointSpec): string {
  return (spec.identity?.type ?? 'SystemAssigned').toLowerCase().replaceAll('_', '');
}

function identityProblems(spec: OnlineEndpointSpec, current: OnlineEndpointSpec | undefined): SpecProblem[] {
  const type = identityType(spec);
  if (type.includes('userassigned')) return [laterProblem('identity.type', managedIdentities)];
  if (type !== 'systemassigned' && type !== 'none') {
    return [{ path: 'identity.type', problem: 'is not a kind of identity', expected: 'system_assigned' }];
  }
  if (current === undefined || identityType(current) === type) return [];
  return [
    {
      path: 'identity.type',
      problem: 'cannot be changed once the endpoint exists',
      expected: current.identity?.type ?? 'system_assigned',
    },
  ];
}

function sharesProblems(spec: OnlineEndpointSpec, deployments: ReadonlySet<string> | undefined): SpecProblem[] {
  const tables = [
    ['traffic', spec.traffic],
    ['mirrorTraffic', spec.mirrorTraffic],
  ] as const;
  if (deployments === undefined) {
    return tables
      .filter(([, table]) => Object.keys(table).length > 0)
      .map(([path]) => ({
        path,
        problem: 'cannot be set when the endpoint is created, because it has no deployments yet',
        expected: 'nothing; update the endpoint once its deployments exist',
      }));
  }
  const twice = tables.flatMap(([path, table]) => namedTwice(path, table));
  if (twice.length > 0) return twice;
  const traffic = withLowerNames(spec.traffic);
  const mirror = withLowerNames(spec.mirrorTraffic);
  return [
    ...trafficProblems(traffic, deployments, 'traffic'),
    ...mirrorProblems(mirror, traffic, deployments, 'mirrorTraffic'),
  ];
}

function namedTwice(path: string, table: TrafficTable): SpecProblem[] {
  const names = Object.keys(table);
  const lower = names.map((name) => name.toLowerCase());
  return names
    .filter((_name, index) => lower.indexOf(lower[index] ?? '') < index)
    .map((name) => ({
      path: `${path}.${name}`,
      problem: `names the deployment '${name.toLowerCase()}' a second time`,
      expected: 'one entry',
    }));
}

function withLowerNames(table: TrafficTable): TrafficTable {
  return Object.fromEntries(Object.entries(table).map(([name, percent]) => [name.toLowerCase(), percent]));
}

/** Of endpoints of any kind. */
export function shrunkProperties(
  spec: Pick<OnlineEndpointSpec, 'properties'>,
  current: Pick<OnlineEndpointSpec, 'properties'> | undefined,
): SpecProblem[] {
  return Object.keys(current?.properties ?? {})
    .filter((key) => !Object.hasOwn(spec.properties, key))
    .map((key) => ({
      path: `properties.${key}`,
      problem: 'cannot be removed: properties of an endpoint may grow, not shrink',
      expected: 'the property with the same or another value',
    }));
}
