import type {
  BatchEndpointRecord,
  EnvironmentVersionSpec,
  InstanceSpec,
  ModelPlacement,
  OnlineDeploymentSpec,
  ProbeSettings,
  ResourceKind,
  RoutingRecord,
  Stored,
} from '@mooring/domain';
import type { Ended } from './domain/exit-reason.ts';
import type { Limits } from './domain/instance-types.ts';

/** A report on the operation of a resource; ignored by the registry when `generation` is no longer current. */
export interface OperationReport {
  kind: ResourceKind;
  key: string;
  generation: number;
  status: 'InProgress' | 'Succeeded' | 'Failed';
  step?: string;
  percentComplete?: number;
  error?: { code: string; message: string };
  warnings?: readonly string[];
}

/** What should be, as the registry has it. Rejects with `unavailable` while it cannot be reached. */
export interface Registry {
  /** Undefined when there is none. */
  get<K extends ResourceKind>(kind: K, key: string): Promise<Stored<K> | undefined>;
  /** All of a kind, or those below `parent`. */
  list<K extends ResourceKind>(kind: K, parent?: string): Promise<Stored<K>[]>;
  report(report: OperationReport): Promise<void>;
  /** Asks for a deletion on behalf of the platform. */
  remove(kind: ResourceKind, key: string): Promise<void>;
  finalizeDelete(kind: ResourceKind, key: string, generation: number): Promise<void>;
}

/** Endpoint keys and sealing, as the auth service does them. */
export interface Auth {
  ensureEndpointKeys(endpoint: string): Promise<void>;
  deleteEndpointKeys(endpoint: string): Promise<void>;
  seal(plain: string, purpose: string): Promise<string>;
  open(sealed: string, purpose: string): Promise<string>;
}

/** The last settings of a deployment that served, so that a failed update can fall back on them after any crash. */
export interface AppliedDeployment {
  generation: number;
  spec: OnlineDeploymentSpec;
}

export interface AppliedStore {
  get(key: string): Promise<AppliedDeployment | undefined>;
  /** The same without the values of environment variables: it can be had while auth cannot be reached. */
  settings(key: string): Promise<AppliedDeployment | undefined>;
  put(key: string, applied: AppliedDeployment): Promise<void>;
  remove(key: string): Promise<void>;
}

/** Everything that one instance of a spec needs to start; the same for all instances of that spec. */
export interface Launch {
  digest: string;
  template: Omit<InstanceSpec, 'instanceId' | 'socketPath' | 'instanceDir'>;
  limits: Limits;
  warnings: readonly string[];
}

/** Where a prepared Python environment is. */
export interface PreparedEnvironment {
  interpreter: string;
  /** Digest of its packages. */
  digest: string;
  warnings: readonly string[];
}

/** Builds (or finds) Python environments. Rejects with PlatformError; `onLine` gets the builder's output. */
export interface Environments {
  prepare(
    spec: EnvironmentVersionSpec | undefined,
    options: { onLine: (line: string) => void; signal: AbortSignal },
  ): Promise<PreparedEnvironment>;
}

/** Files of models and code, by the path that an asset names. */
export interface Artifacts {
  /** The absolute path; rejects with `not_found` when there is nothing. */
  localPath(path: string): Promise<string>;
  /** SHA-256 over names and contents of a file or of all files of a folder. */
  digest(localPath: string): Promise<string>;
  /** The digest that was recorded when the content was registered; records this one when there is none yet. */
  registeredDigest(path: string, digest: string): Promise<string>;
}

export interface Probes {
  readiness: ProbeSettings;
  liveness: ProbeSettings;
}

export interface InstanceIdentity {
  id: string;
  /** As the user wrote it. */
  endpoint: string;
  deployment: string;
  specDigest: string;
}

/** One running instance. */
export interface InstanceHandle extends InstanceIdentity {
  /** gRPC address of its scoring stream. */
  readonly address: string;
  readonly pid: number;
  readonly startTicks: number;
  readonly startedAtMs: number;
  readonly modelDigest: string | undefined;
  /** Where its model runs, as its scorer told; undefined while it is not ready. */
  readonly placement: ModelPlacement | undefined;
  readonly phase: 'starting' | 'ready' | 'unready' | 'ended';
  readonly readyAtMs: number | undefined;
  /** Why it is not ready. */
  readonly reason: string | undefined;
  /** With phase `ended`. */
  readonly ended: Ended | undefined;
  /** Probe settings may change while it runs. */
  useProbes(probes: Probes): void;
  /** SIGTERM: it finishes what is open; after `graceMs` it is killed. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
  /** Ends watching and leaves the process running. */
  release(): void;
}

export type OnInstanceChange = (instance: InstanceHandle) => void;

/** Where instances run. */
export interface ComputeTarget {
  /** Returns once the process exists; what becomes of it is told by `onChange`. */
  start(
    identity: InstanceIdentity,
    launch: Launch,
    probes: Probes,
    onChange: OnInstanceChange,
  ): Promise<InstanceHandle>;
  /** Takes over every instance that an earlier controller started and that still runs. */
  adopt(probesOf: (identity: InstanceIdentity) => Probes, onChange: OnInstanceChange): Promise<InstanceHandle[]>;
  /** Removes what ended instances left behind, keeping the logs of the most recent ones of each deployment. */
  tidy(): Promise<void>;
  /** The end of the logs of a deployment's instances, those recently ended included. */
  logs(endpoint: string, deployment: string, tail: number): string;
  /** Removes the logs of a deployment that is gone. */
  forget(endpoint: string, deployment: string): Promise<void>;
  close(): void;
}

/** The log of getting a deployment ready: what `get-logs --container storage-initializer` shows. */
export interface PreparationLog {
  write(endpoint: string, deployment: string, line: string): void;
  tail(endpoint: string, deployment: string, lines: number): string;
  forget(endpoint: string, deployment: string): void;
}

/** Records that the data plane watches, by endpoint. */
export interface EndpointRecords<R> {
  put(endpoint: string, record: R): Promise<void>;
  remove(endpoint: string): Promise<void>;
}

export type RoutingStore = EndpointRecords<RoutingRecord>;
export type BatchEndpointStore = EndpointRecords<BatchEndpointRecord>;

/** Models that must not run in a process that serves others, by the digest of their files. */
export interface InlineBans {
  /** Why a model is banned, for people; undefined when it is not. */
  why(modelDigest: string): string | undefined;
  /** For good. Never rejects; what cannot be written now counts in this process and is tried again. */
  ban(modelDigest: string, why: string): void;
}

/** What happened to instances, for people. Best effort: never fails the work it tells of. */
export interface Events {
  tell(event: { kind: string; endpoint: string; deployment: string; instance?: string; message: string }): void;
}
