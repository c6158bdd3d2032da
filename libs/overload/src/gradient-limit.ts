interface GradientOptions {
  /** Latency may grow by this factor over its long-term mean before the limit falls. */
  tolerance?: number;
  /** Below this many milliseconds an instance is not slow, whatever it was before: such times are noise of the machine. */
  noticeMs?: number;
}

/** Calls, and milliseconds, that make one observation, whichever comes last. */
const windowCalls = 8;
const windowMs = 50;
/** Weight of the newest observation in the long-term mean, once there were `warmUp` of them. */
const longShare = 0.01;
const warmUp = 10;
const smoothing = 0.3;
/** An observation can at most halve the limit. */
const gradientLeast = 0.5;
/** After a slow time that has become usual, the long-term mean comes down sooner than its weight would let it. */
const recovery = 0.95;

/**
 * How many calls an instance should have, found by the gradient of its latency (Netflix's gradient2): while calls take as
 * long as they used to, the limit grows by what a healthy queue needs; when they take longer, it shrinks in proportion.
 * Latency is the time in the model, without waiting: a full queue alone is no sign of a slow instance.
 */
export class GradientLimit {
  readonly #tolerance: number;
  readonly #noticeMs: number;
  #limit = Number.POSITIVE_INFINITY;
  #longMs = 0;
  #observations = 0;
  #calls = 0;
  #sumMs = 0;
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor({ tolerance = 2, noticeMs = 5 }: GradientOptions = {}) {
    this.#tolerance = tolerance;
    this.#noticeMs = noticeMs;
  }

  /** In whole calls, from 1 to `most`. */
  current(most: number): number {
    return Math.max(1, Math.min(most, Math.floor(this.#limit)));
  }

  /** The time one call took in the model; `open` = calls that the instance had with it, `most` = the limit's bound. */
  note(latencyMs: number, open: number, most: number, nowMs: number): void {
    if (this.#calls === 0) this.#sinceMs = nowMs;
    this.#calls += 1;
    this.#sumMs += latencyMs;
    if (this.#calls < windowCalls || nowMs - this.#sinceMs < windowMs) return;
    const shortMs = this.#sumMs / this.#calls;
    this.#calls = 0;
    this.#sumMs = 0;
    this.#observe(shortMs, open, most);
  }

  #observe(shortMs: number, open: number, most: number): void {
    this.#observations += 1;
    const share = this.#observations <= warmUp ? 1 / this.#observations : longShare;
    this.#longMs += share * (shortMs - this.#longMs);
    if (this.#longMs > 2 * shortMs) this.#longMs *= recovery;
    const limit = Math.min(this.#limit, most);
    const usualMs = Math.max(this.#longMs, this.#noticeMs);
    const gradient = Math.max(gradientLeast, Math.min(1, (this.#tolerance * usualMs) / shortMs));
    // Nobody knows how much an instance can do that is asked for little.
    if (gradient === 1 && open < limit / 2) return;
    const next = limit * gradient + Math.sqrt(limit);
    this.#limit = Math.max(1, Math.min(most, limit + smoothing * ((gradient < 1 ? limit * gradient : next) - limit)));
  }
}
