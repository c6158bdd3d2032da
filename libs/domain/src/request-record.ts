/** Where the time of a request went, about in the order in which it passes; the names are those of `server-timing`. */
export const requestParts = [
  'auth',
  'read',
  'route',
  'queue',
  'batchWait',
  'transport',
  'preprocess',
  'compute',
  'postprocess',
  'write',
] as const;

/** What an id must be to be found by it: ours is, and a caller's own that is not is not kept. */
export const requestIdRule = 'at most 100 letters, digits, underscores, dashes, dots and colons, not dots alone';

export function isRequestId(text: string): boolean {
  return /^[\w.:-]{1,100}$/.test(text) && !/^\.+$/.test(text);
}

export type RequestPart = (typeof requestParts)[number];

/**
 * What one data-plane process keeps of one request that it answered: how it was decided and where its time went. Never a
 * body, a key, a header or a query string.
 */
export interface RequestRecord {
  requestId: string;
  /** The caller's own id, if it sent one. */
  clientRequestId: string;
  at: string;
  /** The process that answered. */
  process: string;
  /** `score`, `oip_rest`, `oip_grpc`, `oip_stream`, `other`. */
  protocol: string;
  endpoint: string;
  deployment: string;
  /** HTTP status, or that of gRPC. */
  status: number;
  /** Why it failed; empty when it did not. */
  reason: string;
  /** `weight` by the traffic table, `pin` by the caller; empty when no deployment was chosen. */
  rule: string;
  /** The slot of the traffic table that was drawn, 0 to 99; absent when none was. */
  trafficSlot?: number;
  instance: string;
  /** `inline`, `threads`, `process`. */
  placement: string;
  /** The model run that the request was part of, and the rows of all its requests. */
  batchId: string;
  batchRows: number;
  /** Rows of this request. */
  rows: number;
  /** Times that another instance was tried. */
  retries: number;
  /** Instances that were taken out of rotation because of this request. */
  ejections: number;
  /** SHA-256 of the model's files. */
  modelDigest: string;
  /** `waited` for an instance that was not ready, `first` call to its instance; else empty. */
  coldStart: string;
  /** `hit`, `miss`, `shared`; empty where the deployment has no response cache. */
  cache: string;
  /** `stored`, `replayed`, `not-stored`; empty where the caller sent no key for it. */
  idempotency: string;
  /** Deployments that got a copy. */
  mirrored: readonly string[];
  bytesIn: number;
  bytesOut: number;
  totalMs: number;
  /** Add up to `totalMs`. */
  parts: Readonly<Record<RequestPart, number>>;
}

/** How far back one process remembers one kind of requests. */
export interface RequestsKept {
  count: number;
  /** When the oldest of them came; absent when there is none. */
  since?: string;
}

/** What a process answers when it is asked for requests. */
export interface FoundRequests {
  process: string;
  answered: RequestsKept;
  failed: RequestsKept;
  /** Of callers that were not let in: unknown endpoint, wrong key, no HTTP. */
  turnedAway: RequestsKept;
  /** Newest first. */
  found: RequestRecord[];
}
