/** What the machine did while a load ran. */
export interface Watched {
  /** CPU of all processes of the system for each request; NaN when it has none of its own. */
  cpuUs: number;
  rssMib: number;
  /** Cores that the load generator took, of the same machine. */
  generatorCores: number;
  /** Cores that were busy with neither this benchmark nor its systems. */
  otherCores: number;
}

/** What was used up to a moment: processor seconds of the system, this benchmark, its generator, the machine. */
export interface Reading {
  at: number;
  used: number;
  rssMib: number;
  own: number;
  generator: number;
  busy: number;
}

export function between(before: Reading, after: Reading, requests: number): Watched {
  const seconds = (after.at - before.at) / 1_000;
  const others = after.busy - before.busy - (after.own - before.own);
  return {
    cpuUs: ((after.used - before.used) * 1e6) / Math.max(1, requests),
    rssMib: after.rssMib,
    generatorCores: (after.generator - before.generator) / seconds,
    otherCores: Math.max(0, others / seconds),
  };
}
