const firstDelayMs = 1_000;
const longestDelayMs = 60_000;

/**
 * How long to wait before the next try after `failuresInARow` failures. The first is tried again at once: most crashes
 * happen once, and every second without an instance is a second of errors.
 */
export function backOffMs(failuresInARow: number): number {
  if (failuresInARow <= 1) return 0;
  return Math.min(longestDelayMs, firstDelayMs * 2 ** (failuresInARow - 2));
}
