import { RunError } from './errors.ts';
import { parseDuration } from './duration.ts';
import type { Metrics } from './metrics/registry.ts';
import { percentOf, type MetricType, type Sink } from './metrics/sinks.ts';

export type ThresholdOption =
  | string
  | { threshold: string; abortOnFail?: boolean | undefined; delayAbortEval?: string | undefined };

export interface Threshold {
  /** `http_req_duration{scenario:load}`. */
  readonly metric: string;
  /** `p(99)<500`, as the script has it. */
  readonly source: string;
  readonly figure: string;
  readonly holds: (value: number) => boolean;
  readonly sink: Sink;
  readonly abortOnFail: boolean;
  readonly delayAbortMs: number;
  ok: boolean;
  value: number;
}

const comparisons: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '==': (left, right) => left === right,
  '===': (left, right) => left === right,
  '!=': (left, right) => left !== right,
};

const figures: Readonly<Record<MetricType, string>> = {
  counter: 'count, rate',
  gauge: 'value',
  rate: 'rate',
  trend: 'avg, min, max, med, p(N)',
};

/** The script's thresholds, all mistakes told at once. */
export function parseThresholds(
  options: Readonly<Record<string, readonly ThresholdOption[]>>,
  metrics: Metrics,
): Threshold[] {
  const problems: string[] = [];
  const thresholds: Threshold[] = [];
  for (const [name, list] of Object.entries(options)) {
    const found = metrics.submetric(name);
    if (found === undefined) {
      problems.push(`thresholds: there is no metric '${name}'; the script has to create it at its top level`);
      continue;
    }
    for (const given of list) {
      const option = typeof given === 'string' ? { threshold: given } : given;
      const parsed = parseExpression(option.threshold, found.metric.type);
      if (typeof parsed === 'string') problems.push(`thresholds: ${name}: ${parsed}`);
      else
        thresholds.push({
          ...parsed,
          metric: name,
          source: option.threshold,
          sink: found.sink,
          abortOnFail: option.abortOnFail ?? false,
          delayAbortMs: parseDuration(option.delayAbortEval ?? 0),
          ok: true,
          value: 0,
        });
    }
  }
  if (problems.length > 0) throw new RunError('invalidConfig', problems.join('\n'));
  return thresholds;
}

function parseExpression(source: string, type: MetricType): Pick<Threshold, 'figure' | 'holds'> | string {
  const [, figure = '', operator = '', limit] =
    /^\s*([a-z]+(?:\([\d.]+\))?)\s*(>=|<=|===|==|!=|>|<)\s*(-?\d+(?:\.\d+)?)\s*$/.exec(source) ?? [];
  const compare = comparisons[operator];
  if (compare === undefined || limit === undefined) {
    return `'${source}' is no threshold; write for example 'p(99)<500', 'rate>0.99' or 'count==0'`;
  }
  if (!isFigureOf(type, figure)) return `'${source}': a ${type} has ${figures[type]}; it has no '${figure}'`;
  return { figure, holds: (value) => compare(value, Number(limit)) };
}

function isFigureOf(type: MetricType, figure: string): boolean {
  return type === 'trend' && figure.startsWith('p(')
    ? percentOf(figure) !== undefined
    : figures[type].split(', ').includes(figure);
}

/**
 * Brings `ok` and `value` of each up to date. While the test runs, metrics without samples are passed over; at its end
 * they count with 0, as in k6: `checks: rate==1` fails when nothing was checked.
 */
export function evaluate(thresholds: readonly Threshold[], elapsedMs: number, atEnd: boolean): void {
  for (const threshold of thresholds) {
    if (threshold.sink.isEmpty && !atEnd) continue;
    threshold.value = threshold.sink.figure(threshold.figure, elapsedMs / 1_000) ?? 0;
    threshold.ok = threshold.holds(threshold.value);
  }
}

/** The first crossed threshold that shall end the test early. */
export function findAbort(thresholds: readonly Threshold[], elapsedMs: number): Threshold | undefined {
  const due = thresholds.filter(({ abortOnFail, delayAbortMs }) => abortOnFail && elapsedMs >= delayAbortMs);
  evaluate(due, elapsedMs, false);
  return due.find(({ ok }) => !ok);
}
