import type { JobRecord } from '@mooring/domain';
import type { Lifecycle } from '@mooring/runtime';
import type { ScoringPort } from '@mooring/scoring-stream';

/** What the gateway must know of an endpoint to tell its callers apart from mistakes. */
export interface EndpointEntry {
  /** As the user wrote it. */
  name: string;
  deployments: readonly { name: string; model: string | undefined }[];
}

/** The endpoints that this process knows; never a network call. Names are found without regard to case. */
export interface EndpointDirectory {
  find(name: string): EndpointEntry | undefined;
  all(): Iterable<EndpointEntry>;
}

/** Where it is remembered that a key was right. */
export interface KnownKey {
  /** What it opened: an endpoint's keys, as another object once they change. */
  opened: object | undefined;
}

/** Checks keys against what this process knows; never a network call. */
export interface EndpointGate {
  /**
   * True when `key` opens the endpoint. Takes the same time for any wrong key. `known` belongs to this key and endpoint, and
   * spares a key that was found right before until the endpoint's keys change.
   */
  opens(endpoint: string, key: string, known?: KnownKey): boolean;
}

/** Where calls go: the router in this process, or the stream to one in another. */
export interface ScoringEdge extends Lifecycle {
  readonly port: ScoringPort;
}

/** A job as a caller asks for it. */
export interface JobSubmission {
  endpoint: string;
  /** Empty = the endpoint's default one. */
  deployment: string;
  /** The request's body, in either spelling of the contract. */
  text: string;
  /** Empty when the caller sent none. */
  idempotencyKey: string;
}

/** How a call about jobs is made. */
export interface JobCallOptions {
  signal: AbortSignal;
  deadlineMs: number;
  /** Empty when the request is not traced. */
  traceparent: string;
}

/** The batch scheduler. Rejects with its errors, and with `unavailable` while it is away. */
export interface BatchJobs {
  /** `created` is false when an earlier request with the same key or name made the job. */
  submit(job: JobSubmission, options: JobCallOptions): Promise<{ job: JobRecord; created: boolean }>;
  get(name: string, options: JobCallOptions): Promise<JobRecord>;
  /** An endpoint's jobs, newest first; `next` is empty with the last of them. */
  list(page: JobPage, options: JobCallOptions): Promise<{ jobs: JobRecord[]; next: string }>;
}

export interface JobPage {
  endpoint: string;
  size: number;
  /** Of the page before; empty for the first one. */
  token: string;
}
