import type { Attributes, SpanContext } from '@opentelemetry/api';

/** One timed step of a request. */
export interface TraceSpan {
  /** W3C traceparent for whoever works for this span; empty when the request is not traced. */
  readonly traceparent: string;
  /** Empty when the request is not traced. */
  readonly traceId: string;
  set(attributes: Attributes): void;
  /** `error` marks the span as failed; its text never holds a payload. */
  end(error?: { reason: string }): void;
}

export interface SpanOptions {
  kind?: 'server' | 'client' | 'internal';
  attributes?: Attributes;
  /** traceparents of spans that belong to other traces: a mirrored copy to its live request, a batch to its members. */
  links?: readonly string[];
  /** When the step began, ms since the epoch; now if absent. */
  startMs?: number;
}

export interface Tracing {
  /** Starts a span below `traceparent`, or a new trace when it is empty or not valid. */
  span(name: string, traceparent: string, options?: SpanOptions): TraceSpan;
  /** False when no span below `traceparent` would be exported: none need be made then, and `traceparent` is passed on. */
  records(traceparent: string): boolean;
  readonly enabled: boolean;
  /** Sends what is left. */
  shutdown(): Promise<void>;
}

/** A W3C traceparent, or undefined when it is not one. */
export function parseTraceparent(text: string): SpanContext | undefined {
  const parts = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text);
  const [, traceId, spanId, flags] = parts ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}
