/** Where requests go; `requestFile` holds the bytes, since a body may be larger than what should pass through IPC. */
export type Target =
  | { protocol: 'http'; host: string; port: number; requestFile: string }
  | {
      protocol: 'grpc';
      host: string;
      port: number;
      requestFile: string;
      path: string;
      metadata: Record<string, string>;
    };

interface AnyJob {
  target: Target;
  /** A request without an answer for so long is given up. */
  timeoutMs: number;
}

/** Each of `inFlight` callers sends the next request when the last is answered. */
export interface ClosedJob extends AnyJob {
  kind: 'closed';
  inFlight: number;
  /** Not part of the figures, but of `sent`. */
  warmupMs: number;
  durationMs: number;
}

/** Requests are due at a constant rate, whether earlier ones are answered or not; latency counts from when they were due. */
export interface OpenJob extends AnyJob {
  kind: 'open';
  /** One after the other without a pause; each has a result of its own. */
  phases: readonly Phase[];
  /** More cannot be open at once: what is due beyond it waits, which counts as latency. */
  openMax: number;
  /** How often it is looked whether requests are due, in milliseconds; the finer, the more it costs. Default: a tenth. */
  tickMs?: number;
  /** More cannot wait: what is due beyond it is counted as dropped. */
  waitingMax: number;
}

export interface Phase {
  perSecond: number;
  durationMs: number;
}

export type Job = ClosedJob | OpenJob;

/** A tenth of a second of a phase, by when requests were due. */
export interface Slice {
  due: number;
  good: number;
  maxMs: number;
}

export const sliceMs = 100;

export interface LoadResult {
  /** All requests of the job or phase, warm-up included: what the CPU time of the servers is divided by. */
  sent: number;
  /** Answers with success that came within the measured time. */
  good: number;
  seconds: number;
  /** Latencies of a closed job's answers within that time; of all answers to what was due in an open job's phase. */
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Whole job: answers by HTTP status, `grpc N`, or `none`. */
  statuses: Record<string, number>;
  /** Answers 408, 429, 503 and 504 (and their gRPC codes) without retry-after or without a reason. */
  unexplained: number;
  /** How long refusals for lack of capacity took: 429 and 503. */
  refusedP99Ms: number;
  /** Due but never sent, since too many waited. */
  dropped: number;
  /** How late the generator itself was in sending: above a millisecond it was the limit. */
  lagP99Ms: number;
  /** Text of the first failure. */
  trouble: string;
  /** Of a closed job. */
  generatorCpuUs: number;
  slices: Slice[];
}

export const goodStatus = 200;
/** A gRPC status is kept as this plus its code; OK as 200. */
export const grpcBase = 1000;
/** No answer. */
export const noStatus = 0;

export function statusName(status: number): string {
  if (status === noStatus) return 'none';
  return status >= grpcBase ? `grpc ${status - grpcBase}` : String(status);
}
