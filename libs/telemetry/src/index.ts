export { type HotDistribution, type HotValue } from './hot-metrics.ts';
export { metrics, registry } from './metrics.ts';
export { metricsSubject, telemetryModule, type ProcessMetrics, type Telemetry } from './module.ts';
export { parseTraceparent, startTracing, type SpanOptions, type TraceSpan, type Tracing } from './tracing.ts';
