import type { Logger } from 'pino';
import { boundary, PlatformError } from '@mooring/errors';
import type { ScoreReply } from '@mooring/scoring-stream';
import { metrics, type KeptRequests, type Tracing } from '@mooring/telemetry';
import type { GrpcContext } from './grpc-context.ts';
import { keepServed } from './keep-served.ts';
import { servedMeters, type GrpcProtocol } from './served-meters.ts';
import { stagesOf, type Stages } from './served-stages.ts';

/** One request of a gRPC caller while it is served. */
export interface ServedRequest {
  /** For whoever works for it. */
  readonly traceparent: string;
  /** The id that the caller gave to the message. */
  named(id: string): void;
  /** The caller was let in. */
  authorized(): void;
  /** `endpoint`: as the user wrote it; empty when there is none of the name that the caller gave. */
  routed(endpoint: string, answer: ScoreReply): void;
  /** Writes the access line, metrics and span, and keeps what explains the request. `thrown`: what went wrong. */
  end(thrown?: unknown): void;
}

export interface ServedRequests {
  begin(protocol: GrpcProtocol, context: GrpcContext, bytesIn: number): ServedRequest;
}

const spanNames = {
  oip_grpc: 'inference.GRPCInferenceService/ModelInfer',
  oip_stream: 'inference.GRPCInferenceService/ModelStreamInfer',
} as const;

/** The edge's records for gRPC callers: one access line, one set of metrics and one server span per request. */
export function createServedRequests(log: Logger, tracing: Tracing, requests: KeptRequests): ServedRequests {
  return {
    begin: (protocol, context, bytesIn) => {
      const startedMs = performance.now();
      const span = tracing.enabled
        ? tracing.span(spanNames[protocol], context.traceparent, {
            kind: 'server',
            attributes: { 'rpc.system.name': 'grpc', 'rpc.method': spanNames[protocol] },
          })
        : undefined;
      const atMs = Date.now();
      let clientId = '';
      let authMs: number | undefined;
      let endpoint = '';
      let answer: ScoreReply | undefined;
      return {
        traceparent: span?.traceparent ?? context.traceparent,
        named: (id) => void (clientId = id),
        authorized: () => void (authMs = performance.now() - startedMs),
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
            atMs,
            clientId,
            authorized: authMs !== undefined,
            stages: stagesOf(answer, authMs ?? (answer === undefined ? totalMs : 0), totalMs),
          };
          count(served);
          span?.set({ 'mooring.endpoint': endpoint, 'mooring.deployment': answer?.deployment ?? '' });
          span?.end(error);
          keepServed(served, requests);
          if (log.isLevelEnabled('info')) log.info(accessLine(served, span?.traceId), 'scored');
        },
      };
    },
  };
}

export interface Served {
  protocol: GrpcProtocol;
  context: GrpcContext;
  endpoint: string;
  bytesIn: number;
  totalMs: number;
  error: PlatformError | undefined;
  answer: ScoreReply | undefined;
  atMs: number;
  clientId: string;
  authorized: boolean;
  stages: Stages;
}

function count({ protocol, endpoint, totalMs, error, answer, stages }: Served): void {
  const code = error === undefined ? 0 : boundary(error.code).grpc;
  const reason = error?.reason ?? '';
  const deployment = answer?.deployment ?? '';
  if (endpoint === '') {
    metrics.requests.inc({ endpoint, deployment, protocol, code: String(code), reason });
    return;
  }
  const meters = servedMeters(endpoint, deployment, protocol);
  meters.requests(code, reason).value += 1;
  meters.duration.observe(totalMs / 1_000);
  meters.stages(stages);
  // Once it was routed, router and instance know better where it was.
  if (error?.code === 'cancelled' && answer === undefined)
    metrics.cancelled.inc({ endpoint, deployment, where: 'edge' });
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
