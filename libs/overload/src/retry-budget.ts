const reserve = 10;
const most = 100;

/**
 * Retries as a share of requests: each request earns a tenth of a retry. A few are there from the beginning and kept for
 * quiet times, so that a single failure is always retried; under overload they are soon spent, and retries cannot make it
 * worse.
 */
export class RetryBudget {
  readonly #share: number;
  #left = reserve;

  constructor(share = 0.1) {
    this.#share = share;
  }

  request(): void {
    this.#left = Math.min(most, this.#left + this.#share);
  }

  /** True when one more retry is harmless; it is then spent. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
