/** One measurement of one system: the row of all results. */
export interface Sample {
  workload: string;
  system: string;
  /** What the workload varies: callers in flight, bytes of a body, endpoints, share of capacity. */
  x: number;
  repeat: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Of all processes of the system, absent where it is not known. */
  cpuUs?: number;
  /** Requests that were not answered with success. */
  failed: number;
  /** Figures of this kind of workload alone. */
  more?: Record<string, number>;
  /** Text of the first failure. */
  trouble?: string;
}

export type Figure = 'perSecond' | 'p50Ms' | 'p99Ms' | 'cpuUs';

export function select(
  samples: readonly Sample[],
  wanted: Partial<Pick<Sample, 'workload' | 'system' | 'x'>>,
): Sample[] {
  const pairs = Object.entries(wanted) as [keyof typeof wanted, unknown][];
  return samples.filter((sample) => pairs.every(([key, value]) => sample[key] === value));
}

/** Each value once, in the order in which they came. */
export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
