import { isTerminal, type Stored } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { routingRecord, type RoutedDeployment } from '../domain/routing.ts';
import type { AppliedStore, Auth, Registry, RoutingStore } from '../ports.ts';
import { OperationReports } from './operation-reports.ts';
import { takeDownEndpoint } from './take-down-endpoint.ts';

export interface EndpointKeeperDeps {
  registry: Registry;
  auth: Pick<Auth, 'ensureEndpointKeys' | 'deleteEndpointKeys'>;
  applied: Pick<AppliedStore, 'settings'>;
  routing: RoutingStore;
  /** Called when the endpoint is gone with everything of it. */
  onGone: () => void;
}

type Endpoint = Stored<'online-endpoint'>;
type Deployment = Stored<'online-deployment'>;

/**
 * Keeps one endpoint's routing record and keys as they should be. `reconcile` may be called any number of times, but not
 * at once with itself.
 */
export class EndpointKeeper {
  private readonly key: string;
  private readonly deps: EndpointKeeperDeps;
  private hasKeys = false;
  private readonly reports: OperationReports;

  constructor(key: string, deps: EndpointKeeperDeps) {
    this.key = key;
    this.deps = deps;
    this.reports = new OperationReports(deps.registry);
  }

  /** Looks and acts; resolves with when to look again, in ms. */
  async reconcile(): Promise<number | undefined> {
    const endpoint = await this.deps.registry.get('online-endpoint', this.key);
    if (endpoint === undefined || endpoint.state === 'Deleting') return this.takeDown(endpoint);
    try {
      // Routing first: traffic must change while auth cannot be reached.
      await this.route(endpoint);
      if (!this.hasKeys) await this.deps.auth.ensureEndpointKeys(endpoint.key);
      this.hasKeys = true;
    } catch (thrown) {
      if (isTerminal(endpoint.state)) throw thrown;
      await this.reportProblem(endpoint, PlatformError.from(thrown));
      throw thrown;
    }
    if (!isTerminal(endpoint.state)) await this.reports.succeeded(endpoint);
    return undefined;
  }

  private async route(endpoint: Endpoint): Promise<void> {
    const deployments = await this.deps.registry.list('online-deployment', endpoint.key);
    const staying = deployments.filter(({ state }) => state !== 'Deleting');
    const routed = await Promise.all(staying.map((deployment) => this.routed(deployment)));
    await this.deps.routing.put(this.key, routingRecord(endpoint, routed));
  }

  /**
   * The settings that its serving instances have. One that never served yet is listed with those that it shall have, so
   * that callers hear that it is not ready, not that it does not exist.
   */
  private async routed({ key, spec }: Deployment): Promise<RoutedDeployment> {
    const applied = await this.deps.applied.settings(key.toLowerCase());
    return { key, spec: applied?.spec ?? spec };
  }

  private async takeDown(endpoint: Endpoint | undefined): Promise<number | undefined> {
    const { registry, routing, auth } = this.deps;
    await routing.remove(this.key);
    const what = { kind: 'online-endpoint', below: 'online-deployment', key: this.key, endpoint } as const;
    const waitMs = await takeDownEndpoint({ ...what, registry, auth, reports: this.reports });
    if (waitMs === undefined) this.deps.onGone();
    return waitMs;
  }

  /** What another try may mend keeps the operation running; anything else ends it. */
  private async reportProblem(endpoint: Endpoint, { code, message }: PlatformError): Promise<void> {
    const final = code === 'invalid_argument' || code === 'failed_precondition';
    if (final) await this.reports.failed(endpoint, { code: 'BadArgument', message });
    else await this.reports.trouble(endpoint, message);
  }
}
