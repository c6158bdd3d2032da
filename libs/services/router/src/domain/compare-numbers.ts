/** What has been found while two answers are walked in step. */
export class Differences {
  readonly tolerance: number;
  /** Where the answers are first neither equal nor within the tolerance. */
  first: string | undefined;
  /** Where they are first not equal. */
  firstWithin: string | undefined;
  /** Largest absolute difference of two numbers. */
  maxDifference: number | undefined;

  constructor(tolerance: number) {
    this.tolerance = tolerance;
  }

  differs(where: string): void {
    this.first ??= where;
  }

  /** The tolerance is absolute for small numbers and relative for large ones. NaN equals NaN. */
  numbers(live: number, mirror: number, where: () => string): void {
    if (Object.is(live, mirror) || live === mirror) return;
    const difference = Math.abs(live - mirror);
    // NaN against a number, or two infinities of different sign: no tolerance covers that.
    if (!Number.isFinite(difference)) return this.differs(where());
    this.maxDifference = Math.max(this.maxDifference ?? 0, difference);
    if (difference <= this.tolerance * Math.max(1, Math.abs(live), Math.abs(mirror))) this.firstWithin ??= where();
    else this.first ??= where();
  }
}
