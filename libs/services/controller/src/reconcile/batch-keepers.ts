import type { BatchDeploymentSpec } from '@mooring/domain';
import type { Auth, BatchEndpointStore, PreparationLog, Registry } from '../ports.ts';
import { BatchDeploymentKeeper } from './batch-deployment-keeper.ts';
import { BatchEndpointKeeper } from './batch-endpoint-keeper.ts';
import type { PreparedBatchDeployment } from './prepare-batch-deployment.ts';
import type { PrepareContext } from './prepare-runtime.ts';

export interface BatchKeepersDeps {
  registry: Registry;
  auth: Auth;
  records: BatchEndpointStore;
  preparationLog: PreparationLog;
  prepare: (spec: BatchDeploymentSpec, context: PrepareContext) => Promise<PreparedBatchDeployment>;
  wake: (kind: BatchKind, key: string) => void;
}

export type BatchKind = 'batch-endpoint' | 'batch-deployment';

/** Those who look after batch endpoints and deployments, by key in lower case. */
export class BatchKeepers {
  private readonly deps: BatchKeepersDeps;
  private readonly endpoints = new Map<string, BatchEndpointKeeper>();
  private readonly deployments = new Map<string, BatchDeploymentKeeper>();

  constructor(deps: BatchKeepersDeps) {
    this.deps = deps;
  }

  keeper(kind: BatchKind, key: string): { reconcile(): Promise<number | undefined> } {
    return kind === 'batch-endpoint' ? this.endpoint(key) : this.deployment(key);
  }

  has(kind: BatchKind, key: string): boolean {
    return (kind === 'batch-endpoint' ? this.endpoints : this.deployments).has(key);
  }

  /** Python interpreters that jobs may be started with. */
  interpreters(): string[] {
    return [...this.deployments.values()].flatMap((keeper) => keeper.interpreters());
  }

  release(): void {
    for (const keeper of this.deployments.values()) keeper.release();
  }

  private endpoint(key: string): BatchEndpointKeeper {
    const known = this.endpoints.get(key);
    if (known !== undefined) return known;
    const { registry, auth, records } = this.deps;
    const onGone = (): void => void this.endpoints.delete(key);
    const keeper = new BatchEndpointKeeper(key, { registry, auth, records, onGone });
    this.endpoints.set(key, keeper);
    return keeper;
  }

  private deployment(key: string): BatchDeploymentKeeper {
    const known = this.deployments.get(key);
    if (known !== undefined) return known;
    const [endpoint = '', deployment = ''] = key.split('/');
    const { registry, preparationLog, wake } = this.deps;
    const keeper: BatchDeploymentKeeper = new BatchDeploymentKeeper(key, {
      registry,
      prepare: (spec, { step, signal }) => {
        const line = (text: string): void => preparationLog.write(...keeper.names(), text);
        const told = (text: string): void => {
          line(text);
          step(text);
        };
        return this.deps.prepare(spec, { step: told, line, signal });
      },
      wake: () => wake('batch-deployment', key),
      onGone: () => {
        this.deployments.delete(key);
        preparationLog.forget(endpoint, deployment);
        wake('batch-endpoint', endpoint);
      },
    });
    this.deployments.set(key, keeper);
    return keeper;
  }
}
