import type { ProbeSettings } from '@mooring/domain';

/** One probe's recent results. */
export interface ProbeWindow {
  readonly passing: boolean;
  readonly successesInARow: number;
  readonly failuresInARow: number;
  /** When a failure was last counted. */
  readonly countedAtMs: number;
}

export const freshReadiness: ProbeWindow = {
  passing: false,
  successesInARow: 0,
  failuresInARow: 0,
  countedAtMs: Number.NEGATIVE_INFINITY,
};
/** Liveness holds until it is shown not to. */
export const freshLiveness: ProbeWindow = { ...freshReadiness, passing: true };

/**
 * Takes one result in. A success counts at once. A failure counts only after `initialDelayS`, and once a period, because
 * probes are sent more often than the period while an instance starts.
 */
export function afterProbe(
  window: ProbeWindow,
  ok: boolean,
  settings: ProbeSettings,
  times: { nowMs: number; startedAtMs: number },
): ProbeWindow {
  if (ok) {
    const successesInARow = window.successesInARow + 1;
    const passing = window.passing || successesInARow >= settings.successThreshold;
    return { ...window, passing, successesInARow, failuresInARow: 0 };
  }
  const tooEarly = times.nowMs - times.startedAtMs < settings.initialDelayS * 1_000;
  // A little less than a period: timers fire late and early by some milliseconds.
  const counted = times.nowMs - window.countedAtMs < settings.periodS * 1_000 * 0.9;
  if (tooEarly || counted) return { ...window, successesInARow: 0 };
  const failuresInARow = window.failuresInARow + 1;
  const passing = window.passing && failuresInARow < settings.failureThreshold;
  return { passing, successesInARow: 0, failuresInARow, countedAtMs: times.nowMs };
}

/** How long an instance may take until it is ready for the first time. */
export function startBudgetMs(settings: ProbeSettings): number {
  return (settings.initialDelayS + settings.periodS * settings.failureThreshold) * 1_000;
}
