export interface Point {
  /** Milliseconds. */
  at: number;
  value: number;
}

export interface Slope {
  perHour: number;
  /** Standard error of `perHour`: a slope within two of them is none. */
  noise: number;
}

const hourMs = 3_600_000;

/** The straight line through the points, by least squares. */
export function slopeOf(points: readonly Point[]): Slope {
  const count = points.length;
  if (count < 3) return { perHour: Number.NaN, noise: Number.NaN };
  const meanAt = mean(points.map(({ at }) => at));
  const meanValue = mean(points.map(({ value }) => value));
  const spread = sum(points.map(({ at }) => (at - meanAt) ** 2));
  const slope = sum(points.map(({ at, value }) => (at - meanAt) * (value - meanValue))) / spread;
  const residuals = sum(points.map(({ at, value }) => (value - meanValue - slope * (at - meanAt)) ** 2));
  return { perHour: slope * hourMs, noise: Math.sqrt(residuals / (count - 2) / spread) * hourMs };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
