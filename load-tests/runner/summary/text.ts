import type { Threshold } from '../thresholds.ts';
import type { GroupSummary, SummaryData } from './data.ts';
import { formatFigure, formatValues } from './format.ts';

const labelWidth = 38;

/** The summary at a test's end, laid out as k6 does. */
export function summaryText(data: SummaryData, thresholds: readonly Threshold[]): string {
  const names = Object.keys(data.metrics).toSorted();
  const top = names.filter((name) => !name.includes('{'));
  const section = (title: string, chosen: readonly string[]): string[] =>
    chosen.length === 0
      ? []
      : ['', `    ${title}`, ...chosen.flatMap((name) => [metricLine(data, name), ...submetricLines(data, name)])];
  const isHttp = (name: string): boolean => name.startsWith('http_req');
  const isGrpc = (name: string): boolean => name.startsWith('grpc_req');
  const isExecution = (name: string): boolean => /^(iteration|vus|dropped_iterations|group_duration)/.test(name);
  const isNetwork = (name: string): boolean => name.startsWith('data_');
  const isCustom = (name: string): boolean =>
    name !== 'checks' && !isHttp(name) && !isGrpc(name) && !isExecution(name) && !isNetwork(name);
  return [
    ...thresholdLines(data, thresholds),
    '',
    '',
    '  █ TOTAL RESULTS',
    ...checkLines(data),
    ...section('CUSTOM', top.filter(isCustom)),
    ...section('HTTP', top.filter(isHttp)),
    ...section('GRPC', top.filter(isGrpc)),
    ...section('EXECUTION', top.filter(isExecution)),
    ...section('NETWORK', top.filter(isNetwork)),
    '',
    '',
  ].join('\n');
}

function label(name: string, indent: string): string {
  return `${indent}${name}`.padEnd(labelWidth + 4, '.');
}

function metricLine(data: SummaryData, name: string): string {
  const metric = data.metrics[name];
  return metric === undefined ? '' : `${label(name, '    ')}: ${formatValues(metric)}`;
}

function submetricLines(data: SummaryData, name: string): string[] {
  return Object.entries(data.metrics)
    .filter(([candidate]) => candidate.startsWith(`${name}{`))
    .map(
      ([candidate, metric]) =>
        `${label(`{ ${candidate.slice(name.length + 1, -1)} }`, '      ')}: ${formatValues(metric)}`,
    );
}

function thresholdLines(data: SummaryData, thresholds: readonly Threshold[]): string[] {
  if (thresholds.length === 0) return [];
  const lines = ['', '', '  █ THRESHOLDS'];
  let metric = '';
  for (const threshold of thresholds) {
    if (threshold.metric !== metric) {
      metric = threshold.metric;
      lines.push('', `    ${metric}`);
    }
    const summary = data.metrics[metric];
    const value = summary === undefined ? threshold.value : formatFigure(threshold.figure, threshold.value, summary);
    lines.push(`    ${threshold.ok ? '✓' : '✗'} '${threshold.source}' ${threshold.figure}=${value}`);
  }
  return lines;
}

function checkLines(data: SummaryData): string[] {
  const checks = data.metrics['checks'];
  if (checks === undefined) return [];
  const { passes = 0, fails = 0 } = checks.values;
  const total = passes + fails;
  const perSecond = (total / Math.max(0.001, data.state.testRunDurationMs / 1_000)).toFixed(2);
  const share = (part: number): string =>
    `${((100 * part) / Math.max(1, total)).toFixed(2).padStart(6)}% ${part} out of ${total}`;
  return [
    '',
    `${label('checks_total', '    ')}: ${total} ${perSecond}/s`,
    `${label('checks_succeeded', '    ')}: ${share(passes)}`,
    `${label('checks_failed', '    ')}: ${share(fails)}`,
    '',
    ...groupLines(data.root_group, '    '),
  ];
}

function groupLines(group: GroupSummary, indent: string): string[] {
  const lines = group.checks.flatMap(({ name, passes, fails }) =>
    fails === 0
      ? [`${indent}✓ ${name}`]
      : [
          `${indent}✗ ${name}`,
          `${indent} ↳  ${Math.floor((100 * passes) / (passes + fails))}% — ✓ ${passes} / ✗ ${fails}`,
        ],
  );
  for (const inner of group.groups) lines.push('', `${indent}█ ${inner.name}`, ...groupLines(inner, `${indent}  `));
  return lines;
}
