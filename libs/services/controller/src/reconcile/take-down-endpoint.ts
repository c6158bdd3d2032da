import type { DeploymentKind, EndpointKind, Stored } from '@mooring/domain';
import type { Auth, Registry } from '../ports.ts';
import type { OperationReports } from './operation-reports.ts';

export interface EndpointToTakeDown<E extends EndpointKind> {
  kind: E;
  below: DeploymentKind;
  key: string;
  /** Its document; undefined when that is gone already. */
  endpoint: Stored<E> | undefined;
  registry: Registry;
  auth: Pick<Auth, 'deleteEndpointKeys'>;
  reports: OperationReports;
}

/** How soon a deletion is looked at again that waits for its deployments, should no word of them come. */
const waitForDeploymentsMs = 2_000;

/**
 * For an endpoint that gets no calls any more: first no deployments, then no keys, then no endpoint. Gives when to look again, in ms;
 * undefined when all of it is gone.
 */
export async function takeDownEndpoint<E extends EndpointKind>({
  kind,
  below,
  key,
  endpoint,
  registry,
  auth,
  reports,
}: EndpointToTakeDown<E>): Promise<number | undefined> {
  const deployments = await registry.list(below, key);
  for (const deployment of deployments) {
    if (deployment.state !== 'Deleting') await registry.remove(below, deployment.key);
  }
  if (deployments.length > 0) {
    const names = deployments.map((deployment) => deployment.key.slice(deployment.key.indexOf('/') + 1));
    const step = `waiting for ${names.length === 1 ? 'deployment' : 'deployments'} ${names.join(', ')} to be gone`;
    if (endpoint !== undefined) await reports.progress(endpoint, { step });
    return waitForDeploymentsMs;
  }
  // Its keys go before it does: without it they may be those of a new endpoint of its name.
  if (endpoint !== undefined) {
    await auth.deleteEndpointKeys(key);
    await registry.finalizeDelete(kind, endpoint.key, endpoint.generation);
  }
  return undefined;
}
