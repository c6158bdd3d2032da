import { backOffMs } from './back-off.ts';
import { azureCodeOf, whatEnded, whyEnded, type Ended } from './exit-reason.ts';

/** Tries that a bad model file or a raising `init()` gets: once more, because a disk may have hiccuped. */
const permanentTriesMax = 2;
/** Ends in a row, without having served, after which a deployment is given up. */
const crashesMax = 4;
/** An instance that served this long was sound: its end begins a new count. */
const soundAfterMs = 60_000;
const keptMax = 16;

export interface Crash {
  atMs: number;
  ended: Ended;
}

/** The ends of one deployment's instances under one spec that nobody asked for. */
export interface CrashHistory {
  /** Newest last, since the last sound instance. */
  readonly crashes: readonly Crash[];
  /** Before this time no instance is started. */
  readonly nextStartAtMs: number;
}

export const noCrashes: CrashHistory = { crashes: [], nextStartAtMs: 0 };

/** `servedMs`: how long the instance had been ready. */
export function afterCrash(history: CrashHistory, crash: Crash, servedMs: number): CrashHistory {
  const earlier = servedMs >= soundAfterMs ? [] : history.crashes;
  const crashes = [...earlier, crash].slice(-keptMax);
  return { crashes, nextStartAtMs: crash.atMs + backOffMs(crashes.length) };
}

/** The failure of a deployment that never got to serve, once trying again has no point; else undefined. */
export function givenUp(history: CrashHistory): { code: string; message: string } | undefined {
  const last = history.crashes.at(-1);
  if (last === undefined) return undefined;
  const permanent = history.crashes.filter((crash) => crash.ended.status?.permanent === true).length;
  if (permanent < permanentTriesMax && history.crashes.length < crashesMax) return undefined;
  return { code: azureCodeOf(last.ended), message: describeCrashes(history) };
}

/** `exited 139 four times in 60 s: segmentation fault in model load`. */
export function describeCrashes(history: CrashHistory): string {
  const last = history.crashes.at(-1);
  if (last === undefined) return '';
  const what = whatEnded(last.ended);
  const same = history.crashes.filter((crash) => whatEnded(crash.ended) === what);
  const first = same[0] ?? last;
  const why = whyEnded(last.ended);
  // A script's own error says enough; how often the process exited is of no interest.
  if (last.ended.status?.permanent === true) return why;
  if (same.length === 1) return `${what}: ${why}`;
  const seconds = Math.max(1, Math.ceil((last.atMs - first.atMs) / 1_000));
  return `${what} ${times(same.length)} in ${seconds} s: ${why}`;
}

function times(count: number): string {
  const words = ['', 'once', 'twice', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
  const word = words[count] ?? String(count);
  return count <= 2 ? word : `${word} times`;
}
