/** What one connection may ask of the server. */
export interface ConnectionLimits {
  /** Calls of one connection that are open, or whose handlers still work for a caller who is gone. */
  concurrentStreamsMax: number;
  /** Header list of a request, counted as HTTP/2 does; more is answered by RESOURCE_EXHAUSTED. */
  headerListMaxBytes: number;
  /** What a caller may send ahead of a handler that does not read. */
  streamWindowBytes: number;
  connectionWindowBytes: number;
  /** Time for the preface, and for each header block, to be complete. */
  handshakeMs: number;
  /** A connection that says nothing for this long is pinged, and ended if it does not answer in time. */
  keepaliveMs: number;
  keepaliveTimeoutMs: number;
  /** Pings of a caller that come faster than this, without an answer in between, count as strikes; the third ends it. */
  pingMinIntervalMs: number;
  /** A connection without calls is told to go after this long; 0 = never. */
  idleMaxMs: number;
  /** A connection is told to go at this age, with `ageGraceMs` for its calls; 0 = never. */
  ageMaxMs: number;
  ageGraceMs: number;
  /** An answer that is complete here, but not taken by its caller, is given up after this long without progress. */
  stalledAnswerMs: number;
  /** Calls that a caller may cancel in a row, and per second from then on, before the connection is ended; an answer gives one back. */
  cancelBurst: number;
  cancelsPerSecond: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  concurrentStreamsMax: 1_000,
  headerListMaxBytes: 16 * 1024,
  streamWindowBytes: 1024 * 1024,
  connectionWindowBytes: 4 * 1024 * 1024,
  handshakeMs: 10_000,
  keepaliveMs: 60_000,
  keepaliveTimeoutMs: 20_000,
  pingMinIntervalMs: 5_000,
  idleMaxMs: 30 * 60_000,
  ageMaxMs: 0,
  ageGraceMs: 30_000,
  stalledAnswerMs: 60_000,
  cancelBurst: 5_000,
  cancelsPerSecond: 1_000,
};

/** Lets through `burst` at once and `perSecond` from then on. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSecond: number;
  #tokens: number;
  #atMs = performance.now();

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#tokens = burst;
  }

  /** False when there is none left. */
  take(): boolean {
    if (this.#tokens < 1) {
      const nowMs = performance.now();
      this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#atMs) * this.#perSecond) / 1_000);
      this.#atMs = nowMs;
    }
    this.#tokens -= 1;
    return this.#tokens >= 0;
  }

  giveBack(): void {
    if (this.#tokens < this.#burst) this.#tokens += 1;
  }
}
