import { isTerminal, type BatchDeploymentSpec, type Stored } from '@mooring/domain';
import type { Registry } from '../ports.ts';
import { OperationReports } from './operation-reports.ts';
import { Preparations, transientTriesMax, type Prepare, type Preparation } from './preparations.ts';
import type { PreparedBatchDeployment } from './prepare-batch-deployment.ts';

export interface BatchDeploymentKeeperDeps {
  registry: Registry;
  prepare: Prepare<BatchDeploymentSpec, PreparedBatchDeployment>;
  /** Asks for another look at this deployment. */
  wake: () => void;
  /** Called when the deployment is gone. */
  onGone: () => void;
}

type Deployment = Stored<'batch-deployment'>;

/**
 * Gets one batch deployment ready, so that mistakes show when it is made and not when a job runs; what jobs need is there
 * then. `reconcile` may be called any number of times, but not at once with itself.
 */
export class BatchDeploymentKeeper {
  private readonly key: string;
  private readonly deps: BatchDeploymentKeeperDeps;
  private readonly preparations: Preparations<BatchDeploymentSpec, PreparedBatchDeployment>;
  private readonly reports: OperationReports;
  private known: Deployment | undefined;

  constructor(key: string, deps: BatchDeploymentKeeperDeps) {
    this.key = key;
    this.deps = deps;
    this.preparations = new Preparations(deps.prepare, deps.wake);
    this.reports = new OperationReports(deps.registry);
  }

  /** The names of endpoint and deployment, as the user wrote them where that is known. */
  names(): [string, string] {
    const [endpoint = '', deployment = ''] = (this.known?.key ?? this.key).split('/');
    return [endpoint, deployment];
  }

  /** The Python interpreters of its jobs; none while it is not prepared. */
  interpreters(): readonly string[] {
    if (this.known === undefined || this.known.state === 'Failed') return [];
    const preparation = this.preparations.of(this.known.spec, Date.now());
    return preparation.state === 'ready' ? preparation.launch.interpreters : [];
  }

  /** Looks and acts; resolves with when to look again, in ms. */
  async reconcile(): Promise<number | undefined> {
    const deployment = await this.deps.registry.get('batch-deployment', this.key);
    if (deployment === undefined || deployment.state === 'Deleting') return this.takeDown(deployment);
    if (this.known !== undefined && this.known.generation !== deployment.generation) this.preparations.forgetFailures();
    this.known = deployment;
    this.preparations.keepOnly([deployment.spec]);
    if (deployment.state === 'Failed') return undefined;
    const preparation = this.preparations.of(deployment.spec, Date.now());
    if (!isTerminal(deployment.state)) await this.report(deployment, preparation);
    const retryAtMs = this.preparations.nextRetryAtMs();
    return retryAtMs === undefined ? undefined : Math.max(0, retryAtMs - Date.now()) + 1;
  }

  /** Ends preparations. */
  release(): void {
    this.preparations.keepOnly([]);
  }

  private async report(deployment: Deployment, preparation: Preparation<PreparedBatchDeployment>): Promise<void> {
    if (preparation.state === 'ready') return this.reports.succeeded(deployment, preparation.launch.warnings);
    if (preparation.state === 'running') {
      return this.reports.progress(deployment, { step: preparation.step, percentComplete: 10 });
    }
    const { failure, retryAtMs } = preparation;
    if (retryAtMs === undefined || this.preparations.failuresOf(deployment.spec) >= transientTriesMax) {
      return this.reports.failed(deployment, { code: failure.code, message: failure.message });
    }
    return this.reports.progress(deployment, {
      step: `preparing again after: ${failure.message}`,
      percentComplete: 10,
    });
  }

  /** Jobs go on with what they were made with. */
  private async takeDown(deployment: Deployment | undefined): Promise<undefined> {
    this.release();
    if (deployment !== undefined) {
      await this.deps.registry.finalizeDelete('batch-deployment', deployment.key, deployment.generation);
    }
    this.deps.onGone();
    return undefined;
  }
}
