import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { Metric, Metrics } from './metrics/registry.ts';

const flushBytes = 64 * 1_024;

/** `--out json=FILE`: k6's format, a line for each metric when it is first seen and for each sample. */
export function writeJsonLines(metrics: Metrics, path: string): { end(): Promise<void> } {
  const file = path === '-' ? process.stdout : createWriteStream(path);
  // Before any listener of `end`, a path that cannot be written would end the process without a word of why.
  let failure: Error | undefined;
  file.on('error', (error) => (failure ??= error));
  const seen = new Set<Metric>();
  let pending = '';
  const write = (line: object): void => {
    pending += `${JSON.stringify(line)}\n`;
    if (pending.length < flushBytes) return;
    file.write(pending);
    pending = '';
  };
  metrics.onSample((metric, value, tags) => {
    if (!seen.has(metric)) {
      seen.add(metric);
      const { name, type, contains, submetrics } = metric;
      const subs = submetrics.map((sub) => ({ name: sub.name, suffix: sub.suffix, tags: sub.tags }));
      write({ type: 'Metric', metric: name, data: { name, type, contains, thresholds: [], submetrics: subs } });
    }
    const time = new Date(performance.timeOrigin + performance.now()).toISOString();
    write({ metric: metric.name, type: 'Point', data: { time, value, tags } });
  });
  return {
    async end() {
      if (failure === undefined && pending !== '') file.write(pending);
      if (file !== process.stdout && failure === undefined) {
        file.end();
        await once(file, 'close');
      }
      if (failure !== undefined) throw new Error(`cannot write ${path}: ${failure.message}`, { cause: failure });
    },
  };
}
