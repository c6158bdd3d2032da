import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { Environment } from '@mooring/config';
import { parentBased, rootShareOf } from './head-sampling.ts';
import { parseTraceparent, type SpanOptions, type TraceSpan, type Tracing } from './trace-span.ts';

export { parseTraceparent, type SpanOptions, type TraceSpan, type Tracing };

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

/** Every caller gets this one object when nothing is exported, so that an untraced request costs nothing here. */
const untraced: TraceSpan = { traceparent: '', traceId: '', set: () => {}, end: () => {} };

/**
 * Traces to OTLP/HTTP when OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set; the other standard
 * OTEL_* variables (sampler, headers, batch sizes, resource attributes) apply. Otherwise it costs nothing.
 */
export async function startTracing(service: string, environment: Environment): Promise<Tracing> {
  const endpoint = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (endpoint === undefined || endpoint === '' || environment['OTEL_SDK_DISABLED'] === 'true') {
    return { enabled: false, records: () => false, span: () => untraced, shutdown: async () => {} };
  }
  // Loaded only when wanted: the SDK takes about 100 ms to load.
  const { AlwaysOnSampler, BatchSpanProcessor, NodeTracerProvider, ParentBasedSampler } =
    await import('@opentelemetry/sdk-trace-node');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { defaultResource, resourceFromAttributes } = await import('@opentelemetry/resources');
  const rootShare = rootShareOf(environment);
  const provider = new NodeTracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({
        'service.namespace': 'mooring',
        'service.name': environment['OTEL_SERVICE_NAME'] ?? service,
      }),
    ),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    // What is not to be sampled never gets as far as this sampler.
    ...(rootShare === undefined ? {} : { sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }) }),
  });
  const tracer = provider.getTracer('mooring');
  const start = (name: string, traceparent: string, options: SpanOptions = {}): TraceSpan =>
    startSpan(tracer, name, traceparent, options);
  return {
    enabled: true,
    shutdown: () => provider.shutdown(),
    ...(rootShare === undefined ? { span: start, records: () => true } : parentBased(start, rootShare)),
  };
}

function startSpan(tracer: Tracer, name: string, traceparent: string, options: SpanOptions): TraceSpan {
  const links = (options.links ?? []).flatMap((link) => parseTraceparent(link) ?? []);
  const span = tracer.startSpan(
    name,
    {
      kind: kinds[options.kind ?? 'internal'],
      links: links.map((context) => ({ context })),
      ...(options.attributes === undefined ? {} : { attributes: options.attributes }),
      ...(options.startMs === undefined ? {} : { startTime: options.startMs }),
    },
    contextOf(traceparent),
  );
  return {
    traceparent: traceparentOf(span),
    traceId: span.spanContext().traceId,
    set: (attributes) => void span.setAttributes(attributes),
    end: (error) => {
      if (error) {
        span.setAttribute('error.type', error.reason);
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.reason });
      }
      span.end();
    },
  };
}

function contextOf(traceparent: string): Context {
  const parent = parseTraceparent(traceparent);
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
