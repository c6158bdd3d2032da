import type { Checks } from '../checks.ts';
import type { Contains, Metrics } from '../metrics/registry.ts';
import type { MetricType, Sink } from '../metrics/sinks.ts';
import type { RunOptions } from '../options.ts';
import type { Threshold } from '../thresholds.ts';

export interface MetricSummary {
  type: MetricType;
  contains: Contains;
  values: Record<string, number>;
  thresholds?: Record<string, { ok: boolean }>;
}

/** What handleSummary() gets, in k6's shape. */
export interface SummaryData {
  options: { summaryTrendStats: string[]; summaryTimeUnit: string; noColor: boolean };
  state: { isStdOutTTY: boolean; isStdErrTTY: boolean; testRunDurationMs: number };
  metrics: Record<string, MetricSummary>;
  root_group: GroupSummary;
  setup_data?: unknown;
}

export interface GroupSummary {
  name: string;
  path: string;
  id: string;
  groups: GroupSummary[];
  checks: { name: string; path: string; id: string; passes: number; fails: number }[];
}

export interface SummaryParts {
  metrics: Metrics;
  checks: Checks;
  thresholds: readonly Threshold[];
  options: Pick<RunOptions, 'summaryTrendStats'>;
  durationMs: number;
  setupData: string | undefined;
}

const figuresOf: Readonly<Record<Exclude<MetricType, 'trend'>, readonly string[]>> = {
  counter: ['count', 'rate'],
  gauge: ['value', 'min', 'max'],
  rate: ['rate', 'passes', 'fails'],
};

export function summarise(parts: SummaryParts): SummaryData {
  const { metrics, thresholds, durationMs } = parts;
  const summaries: Record<string, MetricSummary> = {};
  for (const { name, type, contains, sink, submetrics } of metrics.all) {
    for (const view of [{ name, sink }, ...submetrics]) {
      const own = thresholds.filter(({ metric }) => metric === view.name);
      if (view.sink.isEmpty && own.length === 0) continue;
      const stats = type === 'trend' ? parts.options.summaryTrendStats : figuresOf[type];
      summaries[view.name] = {
        type,
        contains,
        values: figures(view.sink, stats, durationMs),
        ...(own.length === 0 ? {} : { thresholds: Object.fromEntries(own.map(({ source, ok }) => [source, { ok }])) }),
      };
    }
  }
  return {
    options: { summaryTrendStats: parts.options.summaryTrendStats, summaryTimeUnit: '', noColor: true },
    state: { isStdOutTTY: false, isStdErrTTY: false, testRunDurationMs: durationMs },
    metrics: summaries,
    root_group: groupTree(parts.checks),
    ...(parts.setupData === undefined ? {} : { setup_data: JSON.parse(parts.setupData) as unknown }),
  };
}

function figures(sink: Sink, names: readonly string[], durationMs: number): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, sink.figure(name, durationMs / 1_000) ?? 0]));
}

function groupTree(checks: Checks): GroupSummary {
  const root: GroupSummary = { name: '', path: '', id: '', groups: [], checks: [] };
  for (const { group, name, passes, fails } of checks.all) {
    const path = `${group}::${name}`;
    findGroup(root, group).checks.push({ name, path, id: path, passes, fails });
  }
  return root;
}

function findGroup(root: GroupSummary, path: string): GroupSummary {
  let at = root;
  for (const name of path.split('::').slice(1)) {
    let inner = at.groups.find((known) => known.name === name);
    if (inner === undefined) {
      inner = { name, path: `${at.path}::${name}`, id: `${at.path}::${name}`, groups: [], checks: [] };
      at.groups.push(inner);
    }
    at = inner;
  }
  return at;
}

/** The older, flatter shape of --summary-export: a threshold is true there when it was crossed. */
export function toExport(data: SummaryData): object {
  const metrics = Object.entries(data.metrics).map(([name, { values, thresholds }]) => [
    name,
    {
      ...values,
      ...(thresholds === undefined
        ? {}
        : { thresholds: Object.fromEntries(Object.entries(thresholds).map(([source, { ok }]) => [source, !ok])) }),
    },
  ]);
  return { root_group: data.root_group, metrics: Object.fromEntries(metrics) as object };
}
