import type { Clock } from '../clock.ts';

/** A virtual user as executors see it: it runs one iteration at a time. */
export interface Vu {
  /** Runs one iteration; its duration counts from `intendedStart`. Never rejects. */
  iterate(intendedStart: number): Promise<void>;
  /** Ends the running iteration at once, if there is one: its requests are cancelled, it is not counted. */
  interrupt(): void;
}

export interface ExecutorHost {
  readonly clock: Clock;
  /** The whole run ends at once. */
  readonly stop: AbortSignal;
  /** Prepares one more virtual user while the scenario runs; undefined when that failed, which ends the run. */
  addVu(): Promise<Vu | undefined>;
  /** An iteration was due and no virtual user was free for it. */
  dropped(): void;
}

export interface Executor {
  /** Virtual users to prepare before the test begins. */
  readonly initialVus: number;
  readonly maxVus: number;
  /** Without gracefulStop. */
  readonly durationMs: number;
  /** For people: `200.00 iterations/s for 30s (maxVUs: 50)`. */
  readonly about: string;
  run(vus: readonly Vu[]): Promise<void>;
}

/**
 * Waits for `work`; when it has not ended `limitMs` from now, or when the run stops, interrupts what still runs.
 * `work` must begin nothing new by then.
 */
export async function endInTime(
  work: Promise<unknown>,
  vus: Iterable<Vu>,
  limitMs: number,
  { clock, stop }: Pick<ExecutorHost, 'clock' | 'stop'>,
): Promise<void> {
  const finished = new AbortController();
  const limit = clock.wait(limitMs, AbortSignal.any([stop, finished.signal]));
  await Promise.race([work, limit]);
  finished.abort();
  for (const vu of vus) vu.interrupt();
  await work;
}
