import { peerNames } from '../systems/peer-install.ts';
import { workloadNamed } from '../workloads/workloads.ts';
import { chart, type Panel } from './chart.ts';
import { distinct, select, type Sample } from './samples.ts';
import { spreadOf } from './statistics.ts';

/** Requests a second of everything that was measured: bars where callers are few, lines where something grows. */
export function chartOfRun(samples: readonly Sample[]): string {
  return chart(
    distinct(samples.map(({ workload }) => workload)).map((name) => panelOf(name, select(samples, { workload: name }))),
  );
}

/** The own rows stand out; peers and limits are told apart by their names. Distinct for the colour blind, too. */
function colourOf(system: string): string {
  if (system === 'mooring') return '#0059a0';
  if (system.startsWith('mooring')) return '#5fa3dc';
  return (peerNames as readonly string[]).includes(system) ? '#c9540a' : '#6e6e6e';
}

function panelOf(name: string, samples: readonly Sample[]): Panel {
  const { about, kind, unit } = workloadNamed(name);
  const series = distinct(samples.map(({ system }) => system)).map((system) => {
    const mine = select(samples, { system });
    const points = distinct(mine.map(({ x }) => x)).map((x) => {
      const { median, least, most } = spreadOf(select(mine, { x }).map(({ perSecond }) => perSecond));
      return { x, y: median, least, most };
    });
    return { name: system, colour: colourOf(system), points };
  });
  const grows = kind === 'bodies' || kind === 'endpoints' || kind === 'in-flight';
  return {
    title: `${name}: ${about}`,
    yTitle: 'requests a second',
    xTitle: unit,
    kind: grows ? 'lines' : 'bars',
    series: grows ? series : series.toSorted((a, b) => (b.points.at(-1)?.y ?? 0) - (a.points.at(-1)?.y ?? 0)),
  };
}
