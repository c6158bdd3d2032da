import type {
  FoundRequests,
  InstanceRecord,
  JobRecord,
  MirrorReportRecord,
  Operation,
  ResourceKind,
  SpecByKind,
  Stored,
} from '@mooring/domain';
import type { ArtifactStore } from '@mooring/storage';
import type { ProcessMetrics } from '@mooring/telemetry';

export interface WriteGuard {
  /** Empty = unguarded; `*` = must exist; `0` = must not exist; else the etag that was read. */
  ifMatch: string;
  principal: string;
}

/** The registry. All calls have a deadline and reject with PlatformError. */
export interface RegistryPort {
  put<K extends ResourceKind>(
    kind: K,
    key: string,
    spec: SpecByKind[K],
    guard: WriteGuard,
  ): Promise<{ resource: Stored<K>; created: boolean }>;
  /** Rejects with `not_found`. */
  get<K extends ResourceKind>(kind: K, key: string): Promise<Stored<K>>;
  list<K extends ResourceKind>(
    kind: K,
    page: { parent: string; size: number; token: string },
  ): Promise<{ resources: Stored<K>[]; next: string }>;
  /** Undefined when there was nothing to delete. */
  delete<K extends ResourceKind>(kind: K, key: string, guard: WriteGuard): Promise<Stored<K> | undefined>;
  operation(id: string): Promise<Operation>;
  /** Newest first. */
  revisions<K extends ResourceKind>(kind: K, key: string): Promise<Stored<K>[]>;
}

export interface AuthPort {
  /** Who holds this token; rejects with `unauthenticated`. */
  authenticate(token: string): Promise<string>;
  listKeys(endpoint: string): Promise<{ primaryKey: string; secondaryKey: string }>;
  regenerateKey(endpoint: string, slot: 'primary' | 'secondary'): Promise<void>;
  /** Text that only `open` with the same purpose turns back. */
  seal(plain: string, purpose: string): Promise<string>;
  open(sealed: string, purpose: string): Promise<string>;
}

export interface ControllerPort {
  logs(query: { endpoint: string; deployment: string; tail: number; container: string }): Promise<string>;
  instances(endpoint: string, deployment: string): Promise<InstanceRecord[]>;
}

/** The batch-scheduler. Calls about one job reject with `not_found`/JOB_NOT_FOUND. */
export interface JobsPort {
  get(name: string): Promise<JobRecord>;
  /** Newest first, of one endpoint or of all (empty). */
  list(page: { endpoint: string; size: number; token: string }): Promise<{ jobs: JobRecord[]; next: string }>;
  cancel(name: string): Promise<JobRecord>;
  resume(name: string): Promise<JobRecord>;
  /** What was found of everything that the job wrote, as the scheduler says it. Takes as long as reading that does. */
  verify(name: string, wait: { deadlineMs: number; signal: AbortSignal }): Promise<Record<string, unknown>>;
  logs(name: string, tail: number): Promise<string>;
}

/** One control action, asked for or refused. Holds no secret and no body. */
export interface AuditEvent {
  time: string;
  principal: string;
  /** `onlineEndpoints/write`. */
  action: string;
  /** Path of the resource. */
  resource: string;
  outcome: 'accepted' | 'refused' | 'failed';
  status: number;
  requestId: string;
}

export interface AuditPort {
  /** False while nothing can be stored: then no change may begin. */
  available(): boolean;
  /** Resolves when the event is stored, or kept to be stored later. Never rejects: what it tells of has happened. */
  record(event: AuditEvent): Promise<void>;
  /** The newest `max`, newest first. */
  recent(max: number): Promise<AuditEvent[]>;
}

/** What is read from shared state beside the services. */
export interface PlatformState {
  mirrorReports(endpoint: string): Promise<MirrorReportRecord[]>;
  /** Base of scoring URIs, without a slash at the end. */
  gatewayUrl(): string;
  /** What every process that answers in time knows of the requests of an id. Rejects with `unavailable`. */
  findRequests(id: string): Promise<FoundRequests[]>;
  /** The metrics of every process that answers in time. */
  metrics(): Promise<ProcessMetrics[]>;
  /** Tells other processes where management listens. */
  announce(url: string): Promise<void>;
}

/**
 * What is wrong with a scoring script, in words; undefined when it parses. Never runs it. Rejects when it cannot be said.
 */
export type CheckScript = (file: string) => Promise<string | undefined>;

/** Everything that management reaches outside itself. */
export interface ManagementPorts {
  registry: RegistryPort;
  auth: AuthPort;
  controller: ControllerPort;
  jobs: JobsPort;
  audit: AuditPort;
  state: PlatformState;
  store: ArtifactStore;
  checkScript: CheckScript;
}
