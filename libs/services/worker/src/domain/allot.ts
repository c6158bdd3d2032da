/** A running job and how many processes it may have at most. */
export interface Demand {
  job: string;
  processesMax: number;
}

/**
 * Shares processes among jobs: each one, in the order given, before any gets a second. With more jobs than processes the first ones have
 * them; whoever gives the order sees to it that others come first later.
 */
export function allot(demands: readonly Demand[], processes: number): Map<string, number> {
  const shares = new Map(demands.map(({ job }) => [job, 0]));
  let free = processes;
  while (free > 0) {
    const before = free;
    for (const { job, processesMax } of demands) {
      const share = shares.get(job) ?? 0;
      if (free === 0 || share >= processesMax) continue;
      shares.set(job, share + 1);
      free -= 1;
    }
    if (free === before) break;
  }
  return shares;
}
