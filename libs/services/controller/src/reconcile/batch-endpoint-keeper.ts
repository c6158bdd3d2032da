import { isTerminal, type BatchEndpointRecord, type Stored } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Auth, BatchEndpointStore, Registry } from '../ports.ts';
import { OperationReports } from './operation-reports.ts';
import { takeDownEndpoint } from './take-down-endpoint.ts';

export interface BatchEndpointKeeperDeps {
  registry: Registry;
  auth: Pick<Auth, 'ensureEndpointKeys' | 'deleteEndpointKeys'>;
  records: BatchEndpointStore;
  /** Called when the endpoint is gone with everything of it. */
  onGone: () => void;
}

type Endpoint = Stored<'batch-endpoint'>;
type Deployment = Stored<'batch-deployment'>;

/**
 * Keeps one batch endpoint's record and keys as they should be. `reconcile` may be called any number of times, but not at
 * once with itself.
 */
export class BatchEndpointKeeper {
  private readonly key: string;
  private readonly deps: BatchEndpointKeeperDeps;
  private readonly reports: OperationReports;
  private hasKeys = false;

  constructor(key: string, deps: BatchEndpointKeeperDeps) {
    this.key = key;
    this.deps = deps;
    this.reports = new OperationReports(deps.registry);
  }

  /** Looks and acts; resolves with when to look again, in ms. */
  async reconcile(): Promise<number | undefined> {
    const endpoint = await this.deps.registry.get('batch-endpoint', this.key);
    if (endpoint === undefined || endpoint.state === 'Deleting') return this.takeDown(endpoint);
    try {
      const deployments = await this.deps.registry.list('batch-deployment', endpoint.key);
      await this.deps.records.put(this.key, recordOf(endpoint, deployments));
      if (!this.hasKeys) await this.deps.auth.ensureEndpointKeys(endpoint.key);
      this.hasKeys = true;
    } catch (thrown) {
      if (!isTerminal(endpoint.state)) await this.reports.trouble(endpoint, PlatformError.from(thrown).message);
      throw thrown;
    }
    if (!isTerminal(endpoint.state)) await this.reports.succeeded(endpoint);
    return undefined;
  }

  private async takeDown(endpoint: Endpoint | undefined): Promise<number | undefined> {
    const { registry, records, auth } = this.deps;
    await records.remove(this.key);
    const what = { kind: 'batch-endpoint', below: 'batch-deployment', key: this.key, endpoint } as const;
    const waitMs = await takeDownEndpoint({ ...what, registry, auth, reports: this.reports });
    if (waitMs === undefined) this.deps.onGone();
    return waitMs;
  }
}

function recordOf({ key, spec, system }: Endpoint, deployments: readonly Deployment[]): BatchEndpointRecord {
  const staying = deployments.filter(({ state }) => state !== 'Deleting');
  const { defaultDeployment } = spec;
  return {
    endpoint: key,
    createdAt: system.createdAt,
    ...(defaultDeployment === undefined ? {} : { defaultDeployment }),
    deployments: staying
      .map((deployment) => deployment.key.slice(deployment.key.indexOf('/') + 1).toLowerCase())
      .toSorted(),
  };
}
