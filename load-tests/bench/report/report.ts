import type { Workload } from '../workloads/workloads.ts';
import { ratio, type Ratio } from './ratios.ts';
import { distinct, select, type Figure, type Sample } from './samples.ts';
import { median } from './statistics.ts';
import { figure, short, textTable } from './table.ts';

/** All tables of one workload. */
export function workloadReport(workload: Workload, samples: readonly Sample[]): string {
  const here = select(samples, { workload: workload.name });
  if (here.length === 0) return '';
  const repeats = distinct(here.map(({ repeat }) => repeat)).length;
  const heading = `${workload.name}: ${workload.about}\n`;
  const tables = distinct(here.map(({ x }) => x)).map(
    (x) => `\n${short(x)} ${workload.unit}, medians of ${repeats}\n${pointTable(workload, select(here, { x }))}`,
  );
  return `${heading}${tables.join('')}`;
}

function pointTable(workload: Workload, samples: readonly Sample[]): string {
  const systems = distinct(samples.map(({ system }) => system)).toSorted(bySpeed(samples));
  const references = workload.references.filter((name) => systems.includes(name));
  const extra = distinct(samples.flatMap(({ more }) => Object.keys(more ?? {})));
  const waits = workload.waitMs === undefined ? [] : ['added p50', 'added p99'];
  const failed = samples.some((sample) => sample.failed > 0) ? ['failed'] : [];
  const header = ['system', 'req/s', 'p50 ms', 'p99 ms', 'CPU us', ...waits, ...extra, ...failed];
  const rows = systems.map((system) => {
    const mine = select(samples, { system });
    const middle = (name: Figure): number => median(mine.map((sample) => sample[name] ?? Number.NaN));
    const added =
      workload.waitMs === undefined ? [] : [middle('p50Ms') - workload.waitMs, middle('p99Ms') - workload.waitMs];
    return [
      system,
      figure(middle('perSecond')),
      figure(middle('p50Ms')),
      figure(middle('p99Ms')),
      figure(middle('cpuUs')),
      ...added.map(figure),
      ...extra.map((name) => figure(median(mine.map(({ more }) => more?.[name] ?? Number.NaN)))),
      ...failed.map(() => String(mine.reduce((sum, sample) => sum + sample.failed, 0))),
      ...references.flatMap((versus) => ratioCells(samples, workload.name, system, versus)),
    ];
  });
  const ratioTitles = references.flatMap((name) => [`req/s / ${name}`, 'CPU', 'p50']);
  return textTable([...header, ...ratioTitles], rows);
}

function bySpeed(samples: readonly Sample[]): (a: string, b: string) => number {
  const speed = (system: string): number => median(select(samples, { system }).map(({ perSecond }) => perSecond));
  return (a, b) => speed(b) - speed(a);
}

function ratioCells(samples: readonly Sample[], workload: string, system: string, versus: string): string[] {
  const x = samples[0]?.x ?? 0;
  const found = (name: Figure): Ratio | undefined =>
    system === versus ? undefined : ratio(samples, { workload, x, system, versus, figure: name });
  const speed = found('perSecond');
  return [ratioText(speed), figure(found('cpuUs')?.median), figure(found('p50Ms')?.median)];
}

/** The median with how far the repeats were apart. */
export function ratioText(found: Ratio | undefined): string {
  if (found === undefined) return '-';
  const { median: middle, least, most } = found;
  return `${figure(middle)} (${figure(least)}..${figure(most)})`;
}
