/** A running job and how many processes it may have at most. */
export interface Demand {
  job: string;
  processesMax: number;
  /** Who has a higher one has all that it asks for before others get any. */
  priority: number;
}

/**
 * Shares processes among jobs of one priority: each one, in the order given, before any gets a second. With more jobs than processes the first ones have
 * them; whoever gives the order sees to it that others come first later.
 */
export function allot(demands: readonly Demand[], processes: number): Map<string, number> {
  const shares = new Map(demands.map(({ job }) => [job, 0]));
  let free = processes;
  const priorities = [...new Set(demands.map(({ priority }) => priority))].toSorted((a, b) => b - a);
  for (const priority of priorities) {
    const equal = demands.filter((demand) => demand.priority === priority);
    for (let before = -1; free > 0 && free !== before;) {
      before = free;
      for (const { job, processesMax } of equal) {
        const share = shares.get(job) ?? 0;
        if (free === 0 || share >= processesMax) continue;
        shares.set(job, share + 1);
        free -= 1;
      }
    }
  }
  return shares;
}
