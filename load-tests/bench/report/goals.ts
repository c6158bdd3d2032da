import { ratio } from './ratios.ts';
import { select, type Figure, type Sample } from './samples.ts';
import { spreadOf, type Spread } from './statistics.ts';
import { figure, short, textTable } from './table.ts';

/** What Mooring has promised itself, in figures of one run. */
export interface Goal {
  workload: string;
  x: number;
  what: string;
  of: (samples: readonly Sample[]) => Spread | undefined;
  /** The least or the most that the median may be. */
  least?: number;
  most?: number;
}

type Bound = Pick<Goal, 'least' | 'most'>;

const figureNames: Readonly<Record<Figure, string>> = {
  perSecond: 'req/s',
  p50Ms: 'p50',
  p99Ms: 'p99',
  cpuUs: 'CPU',
};

function over(workload: string, x: number, what: Figure, system: string, versus: string, bound: Bound): Goal {
  return {
    workload,
    x,
    what: `${figureNames[what]} of ${system} / ${versus}`,
    of: (samples) => ratio(samples, { workload, x, system, versus, figure: what }),
    ...bound,
  };
}

/** A figure of Mooring's own row. */
function own(workload: string, x: number, what: string, value: (sample: Sample) => number, bound: Bound): Goal {
  const of = (samples: readonly Sample[]): Spread | undefined => {
    const mine = select(samples, { workload, x, system: 'mooring' });
    return mine.length === 0 ? undefined : spreadOf(mine.map(value));
  };
  return { workload, x, what, of, ...bound };
}

const added = (q: 'p50Ms' | 'p99Ms') => (sample: Sample) => sample[q] - 20;
const more = (name: string) => (sample: Sample) => sample.more?.[name] ?? Number.NaN;

export const goals: readonly Goal[] = [
  over('iris-rest', 1, 'p50Ms', 'mooring', 'node-echo', { most: 1.6 }),
  over('iris-rest', 1, 'p50Ms', 'mooring', 'mlserver', { most: 0.12 }),
  ...[8, 32].flatMap((x) => [
    over('iris-rest', x, 'perSecond', 'mooring', 'node-echo', { least: 0.8 }),
    over('iris-rest', x, 'perSecond', 'mooring', 'mlserver', { least: 12 }),
    over('iris-rest-binary', x, 'perSecond', 'mooring', 'node-echo', { least: 0.8 }),
  ]),
  over('iris-rest', 8, 'perSecond', 'mooring-split', 'mooring', { least: 0.45 }),
  over('iris-grpc', 8, 'perSecond', 'mooring', 'grpc-echo', { least: 1 }),
  over('iris-grpc', 8, 'perSecond', 'mooring', 'mlserver', { least: 6 }),
  over('cnn-rest', 8, 'perSecond', 'mooring', 'session-loops', { least: 0.95 }),
  over('cnn-rest', 8, 'perSecond', 'mooring', 'mlserver', { least: 2.3 }),
  over('script-rest', 8, 'perSecond', 'mooring', 'azureml', { least: 5 }),
  over('script-rest', 8, 'perSecond', 'mooring', 'fastapi', { least: 1.3 }),
  own('script-wait20', 16, 'added p50, ms', added('p50Ms'), { most: 0.6 }),
  own('script-wait20', 16, 'added p99, ms', added('p99Ms'), { most: 2 }),
  own('script-wait20', 64, 'added p99, ms', added('p99Ms'), { most: 10 }),
  own('open-loop', 0.5, 'p99 / p50', more('p99 / p50'), { most: 5 }),
  ...[2, 5, 10].flatMap((x) => [
    own('overload', x, 'goodput, % of peak', more('goodput %'), { least: 95 }),
    own('overload', x, 'p99 of what was answered, ms', ({ p99Ms }) => p99Ms, { most: 1_000 }),
    own('overload', x, 'refusals without retry-after or reason', more('unexplained'), { most: 0 }),
    own('overload', x, 'requests without any answer', more('no answer'), { most: 0 }),
    own('overload', x, 'seconds until all was normal', more('normal s'), { most: 2 }),
  ]),
];

export interface Reached {
  goal: Goal;
  value: Spread;
  isMet: boolean;
}

/** The goals that this run has figures for. A figure that could not be taken, such as a time that never came, is not met. */
export function reached(samples: readonly Sample[], all: readonly Goal[] = goals): Reached[] {
  return all.flatMap((goal) => {
    const value = goal.of(samples);
    if (value === undefined) return [];
    const isMet = value.median >= (goal.least ?? -Infinity) && value.median <= (goal.most ?? Infinity);
    return [{ goal, value, isMet }];
  });
}

export function goalsText(samples: readonly Sample[]): string {
  const found = reached(samples);
  if (found.length === 0) return '';
  const rows = found.map(({ goal, value, isMet }) => [
    `${goal.workload} ${short(goal.x)}: ${goal.what}`,
    goal.least === undefined ? `<= ${goal.most}` : `>= ${goal.least}`,
    `${figure(value.median)} (${figure(value.least)}..${figure(value.most)})`,
    isMet ? 'met' : 'not met',
  ]);
  return textTable(['goal', 'wanted', 'median (spread)', ''], rows);
}
