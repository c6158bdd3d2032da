/** Weight of the newest call in the mean service time. */
const newestShare = 0.1;
/** Busy time after which what was measured before counts 1/e. */
const memoryMs = 1_000;
/** One very long call must not wipe out all that was known. */
const fadeMost = 0.5;
/** Completions of one moment (a batch) are one observation. */
const foldMs = 1;
/**
 * Of a call's time; the rest is for the way. One that ends a little late has cost the model as much as one in time. The longer
 * the line, the further the forecast: behind `longLine` rounds of the model or more, it may get a quarter slower meanwhile.
 */
const usableShare = 0.95;
const uncertainShare = 0.2;
const longLine = 32;

/**
 * How fast a queue is worked off, measured: completions per busy time, where busy means that as many calls were open as run
 * at once. So it holds for one worker, several, and batches alike, whatever they really do at the same time.
 */
export class Progress {
  /** Mean time of one call without waiting; 0 = not known yet. */
  serviceMs = 0;
  /** Calls that run or wait. */
  open = 0;
  #parallel: number;
  #busyMs = 0;
  #done = 0;
  #pending = 0;
  /** When the present observation began; undefined while not busy. */
  #sinceMs: number | undefined;

  /** `parallel`: calls that run at once. */
  constructor(parallel: number) {
    this.#parallel = Math.max(1, parallel);
  }

  get parallel(): number {
    return this.#parallel;
  }

  /** Changes how many run at once, as a deployment's settings or number of instances do. */
  setParallel(parallel: number): void {
    if (parallel === this.#parallel) return;
    this.#parallel = Math.max(1, parallel);
    this.#sinceMs = undefined;
    this.#pending = 0;
    this.#busyMs = 0;
    this.#done = 0;
  }

  entered(nowMs: number): void {
    this.open += 1;
    if (this.open >= this.#parallel) this.#sinceMs ??= nowMs;
  }

  /** `ran`: it took a place and time of the model; false for a call that left while it waited. */
  left(nowMs: number, ran: boolean): void {
    this.open -= 1;
    if (this.#sinceMs === undefined) return;
    if (ran) this.#pending += 1;
    const elapsedMs = nowMs - this.#sinceMs;
    const over = this.open < this.#parallel;
    if (this.#pending > 0 && (over || elapsedMs >= foldMs)) this.#fold(elapsedMs, nowMs);
    if (over) this.#sinceMs = undefined;
  }

  noteServiceTime(ms: number): void {
    this.serviceMs = this.serviceMs === 0 ? ms : this.serviceMs + newestShare * (ms - this.serviceMs);
  }

  /** Time between two completions while busy; what is known of single calls stands in while that was never seen. */
  get gapMs(): number {
    return this.#done > 0 ? this.#busyMs / this.#done : this.serviceMs / this.#parallel;
  }

  /** When a call that comes behind `ahead` others would be answered. */
  answeredInMs(ahead = this.open): number {
    if (ahead < this.#parallel) return this.serviceMs;
    return Math.max(this.serviceMs, (ahead + 1) * this.gapMs);
  }

  /**
   * True when a call that would have to wait cannot be answered within `leftMs`. Never for one that would run at once: only
   * calls that run can show that the model got faster.
   */
  hopeless(leftMs: number, ahead = this.open): boolean {
    if (ahead < this.#parallel) return false;
    const uncertain = uncertainShare * Math.min(1, ahead / (this.#parallel * longLine));
    return this.answeredInMs(ahead) > leftMs * (usableShare - uncertain);
  }

  #fold(elapsedMs: number, nowMs: number): void {
    const keep = Math.exp(-Math.min(elapsedMs / memoryMs, fadeMost));
    this.#busyMs = this.#busyMs * keep + elapsedMs;
    this.#done = this.#done * keep + this.#pending;
    this.#pending = 0;
    this.#sinceMs = nowMs;
  }
}
