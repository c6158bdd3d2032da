const strikesMax = 2;

/** Counts a caller's pings as gRPC's keepalive guide asks (proposal A8): each answer that we send wipes the slate. */
export class PingPolicy {
  readonly #minIntervalMs: number;
  #strikes = 0;
  #lastAtMs = -Infinity;

  constructor(minIntervalMs: number) {
    this.#minIntervalMs = minIntervalMs;
  }

  /** False when it is one too many. `active`: DATA or HEADERS were sent since the last ping. */
  allows(nowMs: number, active: boolean): boolean {
    if (active) this.#strikes = 0;
    else if (nowMs - this.#lastAtMs < this.#minIntervalMs) this.#strikes += 1;
    this.#lastAtMs = nowMs;
    return this.#strikes <= strikesMax;
  }
}
