/** The middle value; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const upper = sorted[Math.floor(sorted.length / 2)] as number;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] as number;
  return (lower + upper) / 2;
}

/** What repeats of one figure say: where the truth probably is, and how far apart they were. */
export interface Spread {
  median: number;
  least: number;
  most: number;
  count: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const known = values.filter((value) => !Number.isNaN(value));
  return {
    median: median(known),
    least: known.length === 0 ? Number.NaN : Math.min(...known),
    most: known.length === 0 ? Number.NaN : Math.max(...known),
    count: known.length,
  };
}
