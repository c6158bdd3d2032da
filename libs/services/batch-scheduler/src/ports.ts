import type {
  AssetKind,
  BatchDeploymentSpec,
  BatchEndpointSpec,
  JobRecord,
  MiniBatchMessage,
  SpecByKind,
} from '@mooring/domain';
import type { Bucket, WorkQueue } from '@mooring/messaging';

/** What jobs are made of, as the registry has it. Undefined where there is none; rejects with `unavailable` while it is away. */
export interface Catalog {
  endpoint(name: string): Promise<{ name: string; spec: BatchEndpointSpec } | undefined>;
  deployment(endpoint: string, name: string): Promise<{ name: string; spec: BatchDeploymentSpec } | undefined>;
  /** By key, `name/version`. */
  asset<K extends AssetKind>(kind: K, key: string): Promise<SpecByKind[K] | undefined>;
  /** Version of an asset's newest, for `@latest`. */
  latest(kind: AssetKind, name: string): Promise<string | undefined>;
}

export type Jobs = Bucket<JobRecord>;
export type Work = WorkQueue<MiniBatchMessage>;
