/** When a job had processes, as far as it counts for whose turn it is. Times of one clock, in milliseconds. */
export interface Turn {
  /** Processes that it has. */
  processes: number;
  /** Of these, those that still load. */
  loading: number;
  /** When its turn began: when the last of its processes had loaded. */
  sinceMs: number;
  /** How long its turn is. */
  lengthMs: number;
  /** When it last had a process; undefined: never. */
  endedMs: number | undefined;
}

const shortestTurnMs = 5_000;
/** A turn is so many times as long as loading took, so that loading is the smaller part of what a worker does. */
const loads = 4;

export const noTurn: Turn = { processes: 0, loading: 0, sinceMs: 0, lengthMs: shortestTurnMs, endedMs: undefined };

/** How long a job whose processes take so long to load may keep them while others wait. */
export function turnLengthMs(loadMs: number): number {
  return Math.max(shortestTurnMs, loads * loadMs);
}

/**
 * Compares who comes first: those whose turn it is, then those that wait, whoever waits longest before others, and at last those that
 * have had their turn.
 */
export function comesFirst(a: Turn, b: Turn, nowMs: number): number {
  return stageOf(a, nowMs) - stageOf(b, nowMs) || (a.endedMs ?? -1) - (b.endedMs ?? -1);
}

function stageOf({ processes, loading, sinceMs, lengthMs }: Turn, nowMs: number): number {
  if (processes === 0) return 1;
  return loading > 0 || nowMs - sinceMs < lengthMs ? 0 : 2;
}
