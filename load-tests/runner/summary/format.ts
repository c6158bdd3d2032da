import type { Contains } from '../metrics/registry.ts';
import type { MetricSummary } from './data.ts';

export function formatTime(ms: number): string {
  if (ms >= 60_000) return `${Math.floor(ms / 60_000)}m${round((ms % 60_000) / 1_000)}s`;
  if (ms >= 1_000) return `${round(ms / 1_000)}s`;
  if (ms >= 1 || ms === 0) return ms === 0 ? '0s' : `${round(ms)}ms`;
  return `${round(ms * 1_000)}µs`;
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : round(value)} ${units[unit]}`;
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function formatNumber(value: number, contains: Contains): string {
  if (contains === 'time') return formatTime(value);
  if (contains === 'data') return formatBytes(value);
  return Number.isInteger(value) ? String(value) : value.toFixed(6).replace(/0+$/, '');
}

export function formatFigure(name: string, value: number, { type, contains }: MetricSummary): string {
  if (type === 'rate' && name === 'rate') return `${(value * 100).toFixed(2)}%`;
  if (type === 'counter' && name === 'rate') return `${formatNumber(value, contains)}/s`;
  if (name === 'count') return contains === 'data' ? formatBytes(value) : String(value);
  return formatNumber(value, contains);
}

/** The right-hand side of a metric's line. */
export function formatValues(metric: MetricSummary): string {
  const { type, values } = metric;
  const figure = (name: string): string => formatFigure(name, values[name] ?? 0, metric);
  switch (type) {
    case 'counter':
      return `${figure('count').padEnd(8)} ${figure('rate')}`;
    case 'gauge':
      return `${figure('value').padEnd(8)} min=${figure('min')} max=${figure('max')}`;
    case 'rate': {
      const passes = values['passes'] ?? 0;
      return `${figure('rate').padEnd(8)} ${passes} out of ${passes + (values['fails'] ?? 0)}`;
    }
    case 'trend':
      return Object.keys(values)
        .map((name) => `${name}=${figure(name)}`)
        .join(' ');
  }
}
