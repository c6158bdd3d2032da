import { distinct, select, type Figure, type Sample } from './samples.ts';
import { spreadOf, type Spread } from './statistics.ts';

/** A system's figure over another's, pair by pair of the same repeat: what a slow minute does to both cancels out. */
export interface Ratio extends Spread {
  workload: string;
  x: number;
  system: string;
  versus: string;
  figure: Figure;
}

export function ratio(
  samples: readonly Sample[],
  at: Pick<Ratio, 'workload' | 'x' | 'system' | 'versus' | 'figure'>,
): Ratio | undefined {
  const { workload, x, system, versus, figure } = at;
  const others = select(samples, { workload, x, system: versus });
  const values = select(samples, { workload, x, system }).flatMap((mine) => {
    const theirs = others.find(({ repeat }) => repeat === mine.repeat);
    const value = (mine[figure] ?? Number.NaN) / (theirs?.[figure] ?? Number.NaN);
    return Number.isFinite(value) && value > 0 ? [value] : [];
  });
  return values.length === 0 ? undefined : { ...at, ...spreadOf(values) };
}

/** All ratios of a run: each system against each reference of its workload. */
export function ratios(samples: readonly Sample[], references: Readonly<Record<string, readonly string[]>>): Ratio[] {
  const figures: readonly Figure[] = ['perSecond', 'p50Ms', 'cpuUs'];
  return distinct(samples.map(({ workload }) => workload)).flatMap((workload) => {
    const here = select(samples, { workload });
    const systems = distinct(here.map(({ system }) => system));
    return distinct(here.map(({ x }) => x)).flatMap((x) =>
      (references[workload] ?? []).flatMap((versus) =>
        systems
          .filter((system) => system !== versus)
          .flatMap((system) => figures.flatMap((figure) => ratio(here, { workload, x, system, versus, figure }) ?? [])),
      ),
    );
  });
}
