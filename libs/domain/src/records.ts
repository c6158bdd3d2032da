import type { AuthMode, TrafficTable } from './online.ts';

/**
 * What the data plane watches in NATS KV. These hold only what a request needs: no environment variables, no keys in
 * clear, so a data-plane process that is taken over gives away no secret of the control plane.
 */

export const routingBucket = 'mooring_routing';

/** Bucket `mooring_routing`, key = endpoint name in lower case. Written by the controller. */
export interface RoutingRecord {
  endpoint: string;
  /** When it was created: tells it from an endpoint of the same name that was deleted before. */
  createdAt: string;
  authMode: AuthMode;
  traffic: TrafficTable;
  mirrorTraffic: TrafficTable;
  deployments: Readonly<Record<string, DeploymentRoute>>;
  /** Generation of the endpoint resource it was made from. */
  generation: number;
}

export interface DeploymentRoute {
  /** As the user wrote it. */
  name: string;
  model: { name: string; version: string } | undefined;
  requestTimeoutMs: number;
  maxConcurrentRequestsPerInstance: number;
  instanceCount: number;
  /** Largest difference of two numbers that the mirror comparison still calls equal enough. */
  mirrorTolerance: number;
  /** JSON paths that the mirror comparison leaves out; indexes of arrays are not part of a path. */
  mirrorIgnore?: readonly string[];
  /** Answers are kept for further identical requests; none are when absent. */
  responseCache?: { ttlMs: number; bytesMax: number };
  /** Identical requests that are in flight at once share one run. */
  singleFlight?: boolean;
}

export const batchEndpointsBucket = 'mooring_batch_endpoints';

/** Bucket `mooring_batch_endpoints`, key = endpoint name in lower case. Written by the controller; the gateway watches it. */
export interface BatchEndpointRecord {
  endpoint: string;
  /** When it was created: tells it from an endpoint of the same name that was deleted before. */
  createdAt: string;
  /** In lower case. */
  defaultDeployment?: string;
  /** Names in lower case; some may still be prepared, or have failed. */
  deployments: readonly string[];
}

export type InstanceState = 'starting' | 'ready' | 'draining' | 'failed';

export const instancesBucket = 'mooring_instances';

/** Bucket `mooring_instances`, key = `<endpoint>.<deployment>.<id>`. Written by the controller. */
export interface InstanceRecord {
  id: string;
  endpoint: string;
  deployment: string;
  /** Digest of everything that made the instance; instances of another digest are replaced. */
  specDigest: string;
  state: InstanceState;
  /** gRPC address of its scoring stream: `unix:/path` or `host:port`. */
  address: string;
  pid: number;
  /** Field 22 of /proc/pid/stat: with the pid it names the process beyond doubt after a restart of the controller. */
  startTicks: number;
  startedAt: string;
  readyAt?: string;
  restarts: number;
  /** Why it is not ready, for people. */
  reason?: string;
  /** SHA-256 of the model's files. */
  modelDigest?: string;
  /** Where its model runs; known once it is loaded. */
  placement?: ModelPlacement;
}

/** Where a model runs, as its scorer chose at warm-up. */
export interface ModelPlacement {
  /**
   * `inline`: in the data-plane process, with the scorer process behind it. `threads`: in worker threads of its scorer.
   * `process`: in its scorer's main thread, or in a script's own worker processes.
   */
  chosen: 'inline' | 'threads' | 'process';
  /** For people. */
  why: string;
  /** What one run with one row takes; 0 = the model could not be measured. */
  runUs: number;
  /** With `inline`: all that a data-plane process needs to load the model itself. */
  inline?: InlineModel;
}

export interface InlineModel {
  /** The .onnx file. */
  file: string;
  /** Of that file's bytes: another content is not what was measured. */
  sha256: string;
  /** Requests with more rows than this take too long for a process that serves others. */
  rowsMax: number;
  /** Rows of several requests that may share a run; 0 = requests never share one. */
  batchRowsMax: number;
  batchMaxDelayUs: number;
  maxRequestBytes: number;
  maxResponseBytes: number;
}

/**
 * Bucket `mooring_inline_bans`, key = SHA-256 of the model's files. A model in whose process something went wrong that only
 * native code does is never inlined again.
 */
export interface InlineBanRecord {
  at: string;
  /** For people: `the edge process ended with SIGSEGV`. */
  why: string;
}

export const inlineBansBucket = 'mooring_inline_bans';

/** Ends of a process that its own native code causes; anything else (killed, asked to end) says nothing of a model. */
export function isNativeCrash(how: string): boolean {
  return /^(SIGSEGV|SIGABRT|SIGBUS|SIGILL|SIGFPE|139|134|135|132|136)$/.test(how);
}

/** One key's verifier: SHA-256 over salt and key. Keys are 256 random bits, so a fast hash is enough to hide them. */
export interface KeyVerifier {
  saltBase64: string;
  sha256Base64: string;
}

/** Bucket `mooring_credentials`, key `endpoint.<name in lower case>`. Written by auth; the data plane reads the verifiers. */
export interface EndpointCredentialsRecord {
  endpoint: string;
  primary: KeyVerifier & { sealed: string };
  secondary: KeyVerifier & { sealed: string };
}

export const mirrorBucket = 'mooring_mirror';

/** Bucket `mooring_mirror`, key `<endpoint>.<deployment>.<router id>`. Written by each router about once a second. */
export interface MirrorReportRecord {
  endpoint: string;
  /** The mirrored deployment. */
  deployment: string;
  routerId: string;
  since: string;
  updatedAt: string;
  sent: number;
  dropped: number;
  compared: { equal: number; within: number; differs: number; failed: number };
  /** Mirror minus live, ms: sums and percentiles over the most recent comparisons. */
  latencyDeltaMs: { p50: number; p90: number; p99: number; count: number };
  /** The most recent comparisons that were not equal; ids and paths only, never payloads. */
  recentDifferences: readonly MirrorDifference[];
}

export interface MirrorDifference {
  requestId: string;
  at: string;
  result: 'within' | 'differs' | 'failed';
  /** Where the answers differ first: `probabilities[0][2]`, `status`. */
  where: string;
  /** Largest difference of two numbers, where both answers are numbers. */
  maxDifference?: number;
}

export const membersBucket = 'mooring_members';

/**
 * Bucket `mooring_members`, key = service name. Each process that listens on TCP writes its own at start, because a port
 * of 0 is known only then.
 */
export interface MemberRecord {
  /** `gateway`, `router`, `management`. */
  service: string;
  /** Tells a restarted process from the one before. */
  id: string;
  /** Base URL without a slash at the end: `http://127.0.0.1:8080`. */
  url: string;
  /** `host:port` of its gRPC, where it has one. */
  grpc?: string;
  startedAt: string;
}

/**
 * Bucket `mooring_idempotency`, in NATS's memory; key = SHA-256 of endpoint and idempotency key. Written by routers: first
 * the claim of whoever runs the request, then its answer. It goes with NATS, and by itself after a while.
 */
export interface IdempotencyRecord {
  /** SHA-256 of what was asked; another one under the same key is refused. */
  fingerprint: string;
  /** Of a router process; it writes a claim anew as long as it lives and runs the request. */
  owner: string;
  /** Absent while the request runs. */
  answer?: StoredAnswerRecord;
}

/** An answer without what concerns only the request that it was made for. */
export interface StoredAnswerRecord {
  status: number;
  contentType: string;
  headers: readonly { name: string; value: string }[];
  inferenceHeaderLengthPlusOne: number;
  deployment: string;
  instanceId: string;
  modelDigest: string;
  pick: string;
  errorCode: string;
  errorReason: string;
  errorMessage: string;
  bodyBase64: string;
}

export const idempotencyBucket = 'mooring_idempotency';
