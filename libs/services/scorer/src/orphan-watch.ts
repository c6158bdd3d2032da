export interface OrphanWatch {
  /** Somebody looked after this scorer just now. */
  seen(): void;
  stop(): void;
}

/** Looks this often within the time, so that an orphan ends not much later than it. */
const looksPerTimeout = 8;

/**
 * Calls `onOrphaned` once when nobody was seen for `timeoutMs` and `attended` stayed false. A look that comes late, because a
 * model run held up the event loop, counts as attended: the probes that came meanwhile could not be answered.
 */
export function watchForOrphan(
  timeoutMs: number,
  attended: () => boolean,
  onOrphaned: () => void,
  nowMs: () => number,
): OrphanWatch {
  const periodMs = Math.max(10, timeoutMs / looksPerTimeout);
  let seenMs = nowMs();
  let lookedMs = seenMs;
  const timer = setInterval(() => {
    const now = nowMs();
    const late = now - lookedMs > periodMs * 2;
    lookedMs = now;
    if (late || attended()) seenMs = now;
    if (now - seenMs < timeoutMs) return;
    clearInterval(timer);
    onOrphaned();
  }, periodMs);
  timer.unref();
  return {
    seen: () => {
      seenMs = nowMs();
    },
    stop: () => clearInterval(timer),
  };
}
