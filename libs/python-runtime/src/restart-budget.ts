const windowMs = 60_000;
const firstDelayMs = 100;
const delayMsMax = 5_000;

/** How soon a worker that ended by itself is replaced: at once the first time, later and later when it goes on. */
export interface RestartBudget {
  /** Notes an exit; the delay before the replacement, or undefined when there were too many in the last minute. */
  exited(nowMs: number): number | undefined;
  /** Exits in the last minute. */
  count(): number;
}

export function restartBudget(exitsMax: number): RestartBudget {
  let exits: number[] = [];
  return {
    exited: (nowMs) => {
      exits = [...exits.filter((at) => at > nowMs - windowMs), nowMs];
      if (exits.length > exitsMax) return undefined;
      return exits.length === 1 ? 0 : Math.min(delayMsMax, firstDelayMs * 2 ** (exits.length - 2));
    },
    count: () => exits.length,
  };
}
