import type { BatchDeploymentSpec, BatchEndpointSpec, ComponentVersionSpec, DataVersionSpec } from './batch.ts';
import type {
  CodeVersionSpec,
  EnvironmentVersionSpec,
  ModelVersionSpec,
  OnlineDeploymentSpec,
  OnlineEndpointSpec,
} from './online.ts';

/** Which spec each kind of resource carries. A later kind adds one line here. */
export interface SpecByKind {
  'online-endpoint': OnlineEndpointSpec;
  'online-deployment': OnlineDeploymentSpec;
  'batch-endpoint': BatchEndpointSpec;
  'batch-deployment': BatchDeploymentSpec;
  model: ModelVersionSpec;
  environment: EnvironmentVersionSpec;
  code: CodeVersionSpec;
  data: DataVersionSpec;
  component: ComponentVersionSpec;
}

export type ResourceKind = keyof SpecByKind;

export const resourceKinds: readonly ResourceKind[] = [
  'online-endpoint',
  'online-deployment',
  'batch-endpoint',
  'batch-deployment',
  'model',
  'environment',
  'code',
  'data',
  'component',
];

export type EndpointKind = 'online-endpoint' | 'batch-endpoint';
export type DeploymentKind = 'online-deployment' | 'batch-deployment';
/** Versioned, `name/version`, and what they are as soon as they are stored. */
export type AssetKind = Exclude<ResourceKind, EndpointKind | DeploymentKind>;

export function isEndpointKind(kind: ResourceKind): kind is EndpointKind {
  return kind === 'online-endpoint' || kind === 'batch-endpoint';
}

export function isAssetKind(kind: ResourceKind): kind is AssetKind {
  return !isEndpointKind(kind) && kind !== 'online-deployment' && kind !== 'batch-deployment';
}

/** Which endpoints a kind of deployment stands behind. */
export const endpointKindOf: Readonly<Record<DeploymentKind, EndpointKind>> = {
  'online-deployment': 'online-endpoint',
  'batch-deployment': 'batch-endpoint',
};

/** Which deployments stand behind a kind of endpoint. */
export const deploymentKindOf: Readonly<Record<EndpointKind, DeploymentKind>> = {
  'online-endpoint': 'online-deployment',
  'batch-endpoint': 'batch-deployment',
};

export type ProvisioningState = 'Creating' | 'Updating' | 'Scaling' | 'Deleting' | 'Succeeded' | 'Failed' | 'Canceled';

/** One change that the controller is making, has made, or has failed to make. */
export interface Operation {
  /** `<kind>.<encoded key>.<uuid>`: tells where to look it up. */
  id: string;
  verb: 'create' | 'update' | 'delete';
  status: 'InProgress' | 'Succeeded' | 'Failed' | 'Canceled';
  startedAt: string;
  endedAt?: string;
  /** What is being done now, for people: `preparing environment`, `starting instance 2 of 3`. */
  step?: string;
  percentComplete?: number;
  error?: { code: string; message: string };
}

/**
 * One document in NATS KV. Desired state (`spec`) and what came of it (`state`, `operation`) share the document, so one
 * compare-and-set write is always the whole truth and nothing half made can be seen.
 */
export interface Resource<K extends ResourceKind = ResourceKind> {
  kind: K;
  /**
   * Path of names, as the user wrote them: `cars`, `cars/luca` (endpoint/deployment), `fern/3` (asset/version).
   * Looked up without regard to case, as ARM does.
   */
  key: string;
  spec: SpecByKind[K];
  state: ProvisioningState;
  /** Grows with each accepted change of `spec`. */
  generation: number;
  operation: Operation;
  system: {
    createdAt: string;
    createdBy: string;
    lastModifiedAt: string;
    lastModifiedBy: string;
  };
  /** Things that a user should know though the request was accepted. */
  warnings?: readonly string[];
}

export const resourcesBucket = 'mooring_resources';
/**
 * States kept of each document: enough for some ten changes, each with its beginning and its end. Whoever opens the bucket
 * first makes it, so all say the same.
 */
export const resourceHistory = 20;

/** A resource with the revision of the document it was read from. */
export type Stored<K extends ResourceKind = ResourceKind> = Resource<K> & {
  /** NATS KV revision as text; sent as `etag`, given back as `If-Match`. */
  etag: string;
};

export function isTerminal(state: ProvisioningState): boolean {
  return state === 'Succeeded' || state === 'Failed' || state === 'Canceled';
}
