const leastMs = 50;
const mostMs = 30_000;

/** An estimate as what a refused caller is told: whole milliseconds, neither at once nor so long that nobody waits. */
export function retryAfterOf(estimateMs: number): number {
  if (Number.isNaN(estimateMs)) return leastMs;
  return Math.min(Math.max(Math.ceil(estimateMs), leastMs), mostMs);
}
