import { PlatformError } from '@mooring/errors';

/** Who asks for a write. */
export interface Writer {
  /** Aborts when it went away. */
  signal: AbortSignal;
  /** Until when it waits for the answer, in milliseconds since 1970. */
  deadline: number;
}

/** Runs writes one after the other, so that what one has checked about other documents still holds when it is stored. */
export type WriteTurn = <T>(writer: Writer, write: () => Promise<T>) => Promise<T>;

interface Waiting {
  deadline: number;
  begin: () => void;
  refuse: (error: PlatformError) => void;
}

const openMax = 256;
/** Weight of the newest write in what one is expected to take. */
const newest = 0.2;

/**
 * Who would not be answered in time is refused at once, by how long writes took of late: an answer that comes too late
 * leaves its caller not knowing whether the change was made.
 */
export function createWriteTurn(): WriteTurn {
  const waiting: Waiting[] = [];
  let running = false;
  let writeMs = 0;
  // One write to spare: some take longer than others.
  const inTime = (ahead: number, deadline: number): boolean => Date.now() + (ahead + 2) * writeMs <= deadline;
  const busy = (): PlatformError =>
    new PlatformError(
      'resource_exhausted',
      'REGISTRY_BUSY',
      'more changes wait than can be made in time; nothing was changed. Try again shortly',
      { retryAfterMs: Math.max(1_000, Math.ceil(waiting.length * writeMs)) },
    );
  const next = (): void => {
    for (const one of waiting.splice(0)) {
      if (inTime(waiting.length, one.deadline)) waiting.push(one);
      else one.refuse(busy());
    }
    const first = waiting.shift();
    if (first === undefined) running = false;
    else first.begin();
  };
  return async ({ signal, deadline }, write) => {
    if (running) {
      if (waiting.length + 1 >= openMax || !inTime(waiting.length + 1, deadline)) throw busy();
      await new Promise<void>((begin, refuse) => void waiting.push({ deadline, begin, refuse }));
    }
    // Nobody before: let in whatever was measured, or one slow write would keep all others out for ever.
    running = true;
    const startedAt = performance.now();
    try {
      // Whoever left while waiting must not find the change made.
      signal.throwIfAborted();
      return await write();
    } finally {
      const tookMs = performance.now() - startedAt;
      if (!signal.aborted) writeMs = writeMs === 0 ? tookMs : writeMs + newest * (tookMs - writeMs);
      next();
    }
  };
}
