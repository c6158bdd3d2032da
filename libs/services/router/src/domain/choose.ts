import { pickDeployment } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { DeploymentEntry, Directory, EndpointEntry } from './directory.ts';

export interface Choice {
  endpoint: EndpointEntry;
  deployment: DeploymentEntry;
  pick: 'pin' | 'weight';
  /** Of the traffic table, as drawn; -1 = none was. */
  slot: number;
}

/** The endpoint of a call; throws ENDPOINT_NOT_FOUND. */
export function findEndpoint(directory: Directory, name: string): EndpointEntry {
  const endpoint = directory.endpoint(name);
  if (endpoint) return endpoint;
  throw new PlatformError(
    'not_found',
    'ENDPOINT_NOT_FOUND',
    `there is no endpoint '${shown(name)}'; \`mooring online-endpoint list\` shows those there are`,
  );
}

/** The deployment that the caller named; throws DEPLOYMENT_NOT_FOUND. */
export function findDeployment(endpoint: EndpointEntry, name: string): DeploymentEntry {
  const deployment = endpoint.deployments.get(name.toLowerCase());
  if (deployment) return deployment;
  const known = [...endpoint.deployments.values()].map((d) => d.route.name).join(', ') || 'none yet';
  throw new PlatformError(
    'not_found',
    'DEPLOYMENT_NOT_FOUND',
    `endpoint '${endpoint.name}' has no deployment '${shown(name)}'; it has: ${known}`,
  );
}

/** Pinned by the caller, else by the traffic table: `random` is in [0, 1). */
export function choose(directory: Directory, endpointName: string, pinned: string, random: () => number): Choice {
  const endpoint = findEndpoint(directory, endpointName);
  if (pinned !== '') return { endpoint, deployment: findDeployment(endpoint, pinned), pick: 'pin', slot: -1 };
  const slot = Math.floor(random() * 100);
  const name = pickDeployment(endpoint.traffic, slot);
  const deployment = name === undefined ? undefined : endpoint.deployments.get(name.toLowerCase());
  if (deployment) return { endpoint, deployment, pick: 'weight', slot };
  throw new PlatformError(
    'not_found',
    'NO_TRAFFIC',
    `no deployment of endpoint '${endpoint.name}' gets traffic; give one some with \`mooring online-endpoint update ` +
      `--name ${endpoint.name} --traffic "<deployment>=100"\`, or name one in the header azureml-model-deployment`,
  );
}

/** The deployments that get a copy of a live call, each drawn for itself. */
export function drawMirrors(endpoint: EndpointEntry, random: () => number): DeploymentEntry[] {
  return endpoint.mirrors.filter(({ percent }) => random() * 100 < percent).map(({ deployment }) => deployment);
}

export function noInstance(endpoint: string, deployment: string, instances: string): PlatformError {
  return PlatformError.refusal(
    'unavailable',
    'NO_INSTANCE',
    `deployment '${deployment}' of endpoint '${endpoint}' has no instance that can take a request (instances: ${instances})`,
    { retryAfterMs: 1_000 },
  );
}

/** A caller's name in a message: short, and without control characters. */
function shown(name: string): string {
  // eslint-disable-next-line no-control-regex -- that is what is taken out
  return name.slice(0, 64).replace(/[\u0000-\u001f\u007f]/g, '?');
}
