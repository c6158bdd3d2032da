import {
  readMooringSettings,
  type DeploymentRoute,
  type MooringSettings,
  type OnlineDeploymentSpec,
  type OnlineEndpointSpec,
  type RoutingRecord,
} from '@mooring/domain';

/** A deployment that exists, with the settings that its serving instances have. */
export interface RoutedDeployment {
  /** `endpoint/deployment` as the user wrote it. */
  key: string;
  spec: OnlineDeploymentSpec;
}

/** What the data plane needs to know of an endpoint. */
export function routingRecord(
  endpoint: { key: string; generation: number; spec: OnlineEndpointSpec; system: { createdAt: string } },
  deployments: readonly RoutedDeployment[],
): RoutingRecord {
  const routes = deployments
    .map((deployment): [string, DeploymentRoute] => {
      const route = deploymentRoute(deployment);
      return [route.name.toLowerCase(), route];
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    endpoint: endpoint.key,
    createdAt: endpoint.system.createdAt,
    authMode: endpoint.spec.authMode,
    traffic: endpoint.spec.traffic,
    mirrorTraffic: endpoint.spec.mirrorTraffic,
    deployments: Object.fromEntries(routes),
    generation: endpoint.generation,
  };
}

function deploymentRoute({ key, spec }: RoutedDeployment): DeploymentRoute {
  const { settings } = readMooringSettings(spec.properties);
  return {
    name: lastName(key),
    model: modelOf(spec.model),
    requestTimeoutMs: spec.requestSettings.requestTimeoutMs,
    maxConcurrentRequestsPerInstance: spec.requestSettings.maxConcurrentRequestsPerInstance,
    instanceCount: spec.instanceCount,
    mirrorTolerance: settings.mirrorTolerance,
    mirrorIgnore: settings.mirrorIgnore ?? [],
    ...repeats(settings),
  };
}

/** What the answers of a deployment may take where its properties do not say. */
const cacheBytesDefault = 16 * 2 ** 20;

/** Absent where they are off: the routing of most deployments does not change by it. */
function repeats({
  responseCacheTtlMs: ttlMs,
  responseCacheBytesMax: bytesMax = cacheBytesDefault,
  singleFlight,
}: MooringSettings): Pick<DeploymentRoute, 'responseCache' | 'singleFlight'> {
  return {
    ...(ttlMs === undefined ? {} : { responseCache: { ttlMs, bytesMax } }),
    ...(singleFlight === true ? { singleFlight } : {}),
  };
}

function lastName(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

function modelOf(key: string | undefined): DeploymentRoute['model'] {
  if (key === undefined) return undefined;
  const slash = key.lastIndexOf('/');
  return { name: key.slice(0, slash), version: key.slice(slash + 1) };
}
