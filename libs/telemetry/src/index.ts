export { type HotDistribution, type HotValue } from './hot-metrics.ts';
export { metrics, registry } from './metrics.ts';
export {
  loadSubject,
  metricsSubject,
  requestsSubject,
  telemetryModule,
  type ProcessLoad,
  type ProcessMetrics,
  type Telemetry,
} from './module.ts';
export { decisionHeader, decisionText, explainHeader, wantsDecision } from './requests/decision-text.ts';
export type { Decided, EndedRequest } from './requests/ended-request.ts';
export { KeptRequests } from './requests/kept-requests.ts';
export { parseTraceparent, startTracing, type SpanOptions, type TraceSpan, type Tracing } from './tracing.ts';
