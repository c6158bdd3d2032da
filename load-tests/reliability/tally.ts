/** What became of one request. */
export interface Outcome {
  /** `lost`: no answer, or one that is no success. `wrong`: a success with somebody else's numbers. */
  kind: 'right' | 'wrong' | 'lost';
  /** For what is not right: who it was and what came. */
  detail: string;
  /** The refusal that may be given to a call which had started without an idempotency key when its scorer was killed. */
  refusedStarted: boolean;
  tookMs: number;
}

const detailsMax = 12;

/** Counts outcomes and the longest time without a right answer. */
export class Tally {
  sent = 0;
  right = 0;
  wrong = 0;
  lost = 0;
  refusedStarted = 0;
  slowestMs = 0;
  /** Who waited longest. */
  slowestCaller = '';
  longestGapMs = 0;
  /** How much later than it was due a request left at worst: the generator's own delay. */
  latestMs = 0;
  readonly details = new Map<string, number>();
  #lastRightMs: number;

  constructor(nowMs: number) {
    this.#lastRightMs = nowMs;
  }

  add({ kind, detail, refusedStarted, tookMs }: Outcome, nowMs: number, caller: string): void {
    if (kind === 'right') {
      this.right += 1;
      this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastRightMs);
      if (tookMs > this.slowestMs) this.slowestCaller = caller;
      this.slowestMs = Math.max(this.slowestMs, tookMs);
      this.#lastRightMs = nowMs;
      return;
    }
    if (refusedStarted) this.refusedStarted += 1;
    else if (kind === 'lost') this.lost += 1;
    else this.wrong += 1;
    if (this.details.has(detail) || this.details.size < detailsMax) {
      this.details.set(detail, (this.details.get(detail) ?? 0) + 1);
    }
  }

  get answered(): number {
    return this.right + this.wrong + this.lost + this.refusedStarted;
  }

  /** No right answer will come any more. */
  end(nowMs: number): void {
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastRightMs);
  }
}
