import { createSink, type MetricType, type Sink } from './sinks.ts';

export type Tags = Readonly<Record<string, string>>;
export type Contains = 'default' | 'time' | 'data';

export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  readonly contains: Contains;
  readonly sink: Sink;
  /** The same samples, those with certain tags only; made by thresholds such as `http_req_duration{scenario:load}`. */
  readonly submetrics: Submetric[];
}

export interface Submetric {
  /** As it was asked for: `http_req_duration{scenario:load}`. */
  readonly name: string;
  readonly suffix: string;
  readonly tags: Tags;
  readonly sink: Sink;
}

export type SampleListener = (metric: Metric, value: number, tags: Tags) => void;

const builtIn: readonly (readonly [string, MetricType, Contains?])[] = [
  ['checks', 'rate'],
  ['data_received', 'counter', 'data'],
  ['data_sent', 'counter', 'data'],
  ['dropped_iterations', 'counter'],
  ['group_duration', 'trend', 'time'],
  ['grpc_req_duration', 'trend', 'time'],
  ['http_req_blocked', 'trend', 'time'],
  ['http_req_connecting', 'trend', 'time'],
  ['http_req_duration', 'trend', 'time'],
  ['http_req_failed', 'rate'],
  ['http_req_receiving', 'trend', 'time'],
  ['http_req_sending', 'trend', 'time'],
  ['http_req_tls_handshaking', 'trend', 'time'],
  ['http_req_waiting', 'trend', 'time'],
  ['http_reqs', 'counter'],
  ['iteration_duration', 'trend', 'time'],
  ['iteration_start_delay', 'trend', 'time'],
  ['iterations', 'counter'],
  ['vus', 'gauge'],
  ['vus_max', 'gauge'],
];

/** All metrics of a run. */
export class Metrics {
  private readonly byName = new Map<string, Metric>();
  private readonly listeners: SampleListener[] = [];

  constructor() {
    for (const [name, type, contains] of builtIn) this.define(name, type, contains);
    this.submetric('http_req_duration{expected_response:true}');
  }

  get all(): Metric[] {
    return [...this.byName.values()];
  }

  onSample(listener: SampleListener): void {
    this.listeners.push(listener);
  }

  /** Every virtual user runs the script's top level, so the same definition comes many times. */
  define(name: string, type: MetricType, contains: Contains = 'default'): Metric {
    const known = this.byName.get(name);
    if (known !== undefined) {
      if (known.type === type && known.contains === contains) return known;
      throw new Error(`metric '${name}' exists already as a ${known.type}; give the new ${type} another name`);
    }
    if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/.test(name)) {
      throw new Error(`'${name}' is no metric name; use letters, digits and underscores, at most 128`);
    }
    const metric: Metric = { name, type, contains, sink: createSink(type), submetrics: [] };
    this.byName.set(name, metric);
    return metric;
  }

  get(name: string): Metric | undefined {
    return this.byName.get(name);
  }

  /** The metric or submetric that a threshold names; undefined when there is no such metric. */
  submetric(name: string): { metric: Metric; sink: Sink } | undefined {
    const parts = /^([^{]+)(?:\{(.*)\})?$/.exec(name.trim());
    const metric = this.byName.get(parts?.[1] ?? '');
    if (metric === undefined) return undefined;
    const suffix = parts?.[2];
    if (suffix === undefined) return { metric, sink: metric.sink };
    let submetric = metric.submetrics.find((known) => known.name === name);
    if (submetric === undefined) {
      submetric = { name, suffix, tags: parseTags(suffix), sink: createSink(metric.type) };
      metric.submetrics.push(submetric);
    }
    return { metric, sink: submetric.sink };
  }

  add(metric: Metric, value: number, tags: Tags): void {
    metric.sink.add(value);
    for (const submetric of metric.submetrics) if (matches(submetric.tags, tags)) submetric.sink.add(value);
    for (const listener of this.listeners) listener(metric, value, tags);
  }

  addByName(name: string, value: number, tags: Tags): void {
    const metric = this.byName.get(name);
    if (metric !== undefined) this.add(metric, value, tags);
  }
}

function parseTags(text: string): Tags {
  const tags: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const colon = pair.indexOf(':');
    const unquoted = (part: string): string => part.trim().replaceAll(/^['"]|['"]$/g, '');
    if (colon < 0) tags[unquoted(pair)] = '';
    else tags[unquoted(pair.slice(0, colon))] = unquoted(pair.slice(colon + 1));
  }
  return tags;
}

function matches(wanted: Tags, tags: Tags): boolean {
  for (const name in wanted) if ((tags[name] ?? '') !== wanted[name]) return false;
  return true;
}
