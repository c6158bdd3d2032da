import type { Ratio } from './ratios.ts';

/** Ratios that a later run has to keep; small enough to be read in a review. */
export interface Baseline {
  at: string;
  machine: { cores: number; cpu: string; node: string };
  commit: string;
  settings: {
    only: string[];
    systems?: string[];
    concurrency?: number[];
    points?: number[];
    repeats: number;
    seconds: number;
  };
  ratios: BaselineRatio[];
}

export interface BaselineRatio {
  workload: string;
  x: number;
  system: string;
  versus: string;
  figure: 'perSecond' | 'cpuUs';
  median: number;
  least: number;
  most: number;
}

/** A ratio may be so much worse. */
export const tolerance = 0.15;

/** What a baseline keeps of a run: how Mooring's own rows compare. */
export function baselineRatios(ratios: readonly Ratio[]): BaselineRatio[] {
  return ratios.flatMap(({ workload, x, system, versus, figure, median, least, most }) => {
    if (!system.startsWith('mooring') || versus.startsWith('mooring')) return [];
    if (figure !== 'perSecond' && figure !== 'cpuUs') return [];
    return [{ workload, x, system, versus, figure, median: round(median), least: round(least), most: round(most) }];
  });
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

export interface Verdict {
  /** `iris-rest 8 mooring / node-echo req/s`. */
  name: string;
  workload: string;
  versus: string;
  outcome: 'kept' | 'better' | 'worse' | 'missing';
  baseline: number;
  now: number | undefined;
  /** Positive: worse. */
  worsePercent: number;
}

/** Holds the run's ratios against the baseline's. */
export function compare(baseline: readonly BaselineRatio[], ratios: readonly Ratio[]): Verdict[] {
  return baseline.map((kept) => {
    const { workload, x, system, versus, figure } = kept;
    const found = ratios.find(
      (one) =>
        one.workload === workload &&
        one.x === x &&
        one.system === system &&
        one.versus === versus &&
        one.figure === figure,
    );
    const what = figure === 'perSecond' ? 'req/s' : 'CPU';
    const same = { name: `${workload} ${x} ${system} / ${versus} ${what}`, workload, versus, baseline: kept.median };
    if (found === undefined) return { ...same, outcome: 'missing', now: undefined, worsePercent: Number.NaN };
    // More requests are better, less CPU is.
    const change = figure === 'perSecond' ? 1 - found.median / kept.median : found.median / kept.median - 1;
    const outcome = change > tolerance ? 'worse' : change < -tolerance ? 'better' : 'kept';
    return { ...same, outcome, now: found.median, worsePercent: 100 * change };
  });
}

/**
 * Those that a check fails for. What could not be compared since the other system was not measured here, a peer that is not
 * installed for one, is no regression; what could not be since the own row is gone is one.
 */
export function regressions(verdicts: readonly Verdict[], measured: ReadonlySet<string>): Verdict[] {
  return verdicts.filter(
    ({ outcome, versus }) => outcome === 'worse' || (outcome === 'missing' && measured.has(versus)),
  );
}
