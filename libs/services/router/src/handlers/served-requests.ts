import type { Logger } from 'pino';
import { boundary, PlatformError } from '@mooring/errors';
import type { ScoreReply } from '@mooring/scoring-stream';
import { metrics, type Tracing } from '@mooring/telemetry';
import type { GrpcContext } from './grpc-context.ts';

/** One request of a gRPC caller while it is served. */
export interface ServedRequest {
  /** For whoever works for it. */
  readonly traceparent: string;
  /** `endpoint`: as the user wrote it; empty when there is none of the name that the caller gave. */
  routed(endpoint: string, answer: ScoreReply): void;
  /** Writes the access line, metrics and span. `thrown`: what went wrong. */
  end(thrown?: unknown): void;
}

export type GrpcProtocol = 'oip_grpc' | 'oip_stream';

export interface ServedRequests {
  begin(protocol: GrpcProtocol, context: GrpcContext, bytesIn: number): ServedRequest;
}

const spanNames = {
  oip_grpc: 'inference.GRPCInferenceService/ModelInfer',
  oip_stream: 'inference.GRPCInferenceService/ModelStreamInfer',
} as const;

/** The edge's records for gRPC callers: one access line, one set of metrics and one server span per request. */
export function createServedRequests(log: Logger, tracing: Tracing): ServedRequests {
  return {
    begin: (protocol, context, bytesIn) => {
      const startedMs = performance.now();
      const span = tracing.enabled
        ? tracing.span(spanNames[protocol], context.traceparent, {
            kind: 'server',
            attributes: { 'rpc.system.name': 'grpc', 'rpc.method': spanNames[protocol] },
          })
        : undefined;
      let endpoint = '';
      let answer: ScoreReply | undefined;
      return {
        traceparent: span?.traceparent ?? context.traceparent,
        routed: (name, given) => {
          endpoint = name;
          answer = given;
        },
        end: (thrown) => {
          const totalMs = performance.now() - startedMs;
          const error = thrown === undefined ? undefined : PlatformError.from(thrown);
          const served = {
            protocol,
            context,
            endpoint,
            bytesIn,
            totalMs,
            error,
            answer,
            stages: stagesOf(answer, totalMs),
          };
          count(served);
          span?.set({ 'mooring.endpoint': endpoint, 'mooring.deployment': answer?.deployment ?? '' });
          span?.end(error);
          log.info(accessLine(served, span?.traceId), 'scored');
        },
      };
    },
  };
}

interface Served {
  protocol: GrpcProtocol;
  context: GrpcContext;
  endpoint: string;
  bytesIn: number;
  totalMs: number;
  error: PlatformError | undefined;
  answer: ScoreReply | undefined;
  stages: Readonly<Record<string, number>>;
}

/** Where the time went, ms, under the labels of the stage metric; `transport` is what nobody else accounts for. */
function stagesOf(answer: ScoreReply | undefined, totalMs: number): Readonly<Record<string, number>> {
  const timing = answer?.timing;
  const parts = {
    route: (answer?.routerUs ?? 0) / 1_000,
    queue: (timing?.queueUs ?? 0) / 1_000,
    batch_wait: (timing?.batchWaitUs ?? 0) / 1_000,
    preprocess: (timing?.preprocessUs ?? 0) / 1_000,
    compute: (timing?.computeUs ?? 0) / 1_000,
    postprocess: (timing?.postprocessUs ?? 0) / 1_000,
  };
  const known = Object.values(parts).reduce((sum, ms) => sum + ms, 0);
  return { ...parts, transport: Math.max(0, totalMs - known) };
}

function count({ protocol, endpoint, totalMs, error, answer, stages }: Served): void {
  const labels = { endpoint, deployment: answer?.deployment ?? '' };
  const code = String(error ? boundary(error.code).grpc : 0);
  metrics.requests.inc({ ...labels, protocol, code, reason: error?.reason ?? '' });
  if (endpoint === '') return;
  metrics.requestDuration.observe({ ...labels, protocol }, totalMs / 1_000);
  for (const [stage, ms] of Object.entries(stages)) {
    if (ms > 0) metrics.stageDuration.observe({ ...labels, stage }, ms / 1_000);
  }
  // Once it was routed, router and instance know better where it was.
  if (error?.code === 'cancelled' && answer === undefined) metrics.cancelled.inc({ ...labels, where: 'edge' });
}

function accessLine(served: Served, traceId: string | undefined): Readonly<Record<string, unknown>> {
  const { protocol, context, endpoint, bytesIn, totalMs, error, answer, stages } = served;
  return {
    requestId: context.requestId,
    traceId: traceId || undefined,
    endpoint: endpoint || undefined,
    deployment: answer?.deployment || undefined,
    instance: answer?.instanceId || undefined,
    protocol,
    code: error?.code ?? 'ok',
    reason: error?.reason,
    bytesIn,
    bytesOut: answer?.body.length ?? 0,
    rows: answer?.rows,
    batchId: answer?.batchId || undefined,
    batchRows: answer?.batchRows || undefined,
    pick: answer?.pick || undefined,
    retries: answer?.retries,
    totalMs: rounded(totalMs),
    stages: Object.fromEntries(Object.entries(stages).map(([stage, ms]) => [stage, rounded(ms)])),
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
