import type { Logger } from 'pino';
import { boundary, PlatformError } from '@mooring/errors';
import type { ScoreReply } from '@mooring/scoring-stream';
import { metrics, type Tracing } from '@mooring/telemetry';
import type { GrpcContext } from './grpc-context.ts';

/** One request of a gRPC caller while it is served. */
export interface ServedRequest {
  /** For whoever works for it. */
  readonly traceparent: string;
  routed(endpoint: string, answer: ScoreReply): void;
  /** Writes the access line, metrics and span. `thrown`: what went wrong. */
  end(thrown?: unknown): void;
}

export interface ServedRequests {
  begin(protocol: 'oip_grpc' | 'oip_stream', context: GrpcContext, bytesIn: number): ServedRequest;
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
          endpoint = name.toLowerCase();
          answer = given;
        },
        end: (thrown) => {
          const totalMs = performance.now() - startedMs;
          const error = thrown === undefined ? undefined : PlatformError.from(thrown);
          // An endpoint that does not exist is a name of the caller's own making: no label.
          const known = error?.reason === 'ENDPOINT_NOT_FOUND' ? '' : endpoint;
          const labels = { endpoint: known, deployment: answer?.deployment.toLowerCase() ?? '' };
          const code = String(error ? boundary(error.code).grpc : 0);
          metrics.requests.inc({ ...labels, protocol, code, reason: error?.reason ?? '' });
          metrics.requestDuration.observe({ ...labels, protocol }, totalMs / 1_000);
          span?.end(error);
          log.info(
            accessLine(protocol, context, { labels, bytesIn, totalMs, traceId: span?.traceId ?? '', error }, answer),
            'scored',
          );
        },
      };
    },
  };
}

interface Measured {
  labels: { endpoint: string; deployment: string };
  bytesIn: number;
  totalMs: number;
  traceId: string;
  error: PlatformError | undefined;
}

function accessLine(
  protocol: string,
  context: GrpcContext,
  { labels, bytesIn, totalMs, traceId, error }: Measured,
  answer: ScoreReply | undefined,
): Readonly<Record<string, unknown>> {
  const timing = answer?.timing;
  const routerMs = (answer?.routerUs ?? 0) / 1_000;
  const instanceMs = (timing?.totalUs ?? 0) / 1_000;
  return {
    requestId: context.requestId,
    ...(traceId === '' ? {} : { traceId }),
    ...labels,
    protocol,
    code: error?.code ?? 'ok',
    ...(error ? { reason: error.reason } : {}),
    bytesIn,
    bytesOut: answer?.body.length ?? 0,
    rows: answer?.rows ?? 0,
    totalMs: rounded(totalMs),
    stagesMs: {
      route: rounded(routerMs),
      transport: rounded(Math.max(0, totalMs - routerMs - instanceMs)),
      queue: (timing?.queueUs ?? 0) / 1_000,
      batchWait: (timing?.batchWaitUs ?? 0) / 1_000,
      preprocess: (timing?.preprocessUs ?? 0) / 1_000,
      compute: (timing?.computeUs ?? 0) / 1_000,
      postprocess: (timing?.postprocessUs ?? 0) / 1_000,
    },
    pick: answer?.pick ?? '',
    retries: answer?.retries ?? 0,
    instanceId: answer?.instanceId ?? '',
  };
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
