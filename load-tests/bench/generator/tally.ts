import { Histogram } from './histogram.ts';
import { goodStatus, sliceMs, statusName, type LoadResult, type Slice } from './jobs.ts';
import { isShed, type Outcome } from './lane.ts';

/** Counts outcomes of a job or of one of its phases. */
export class Tally {
  sent = 0;
  dropped = 0;
  /** Answers with success that came in the measured time, whenever they were sent. */
  good = 0;
  readonly lag = new Histogram();
  readonly #latencies = new Histogram();
  readonly #refusals = new Histogram();
  readonly #statuses = new Map<number, number>();
  readonly #slices: Slice[] = [];
  #trouble = '';
  #unexplained = 0;

  /** `counts`: whether a latency is one of the measured time. */
  outcome(outcome: Outcome, ms: number, counts: boolean): void {
    const { status } = outcome;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status === goodStatus) {
      if (counts) this.#latencies.add(ms);
      return;
    }
    if (!outcome.isExplained) this.#unexplained += 1;
    if (isShed(status)) this.#refusals.add(ms);
    if (this.#trouble === '') this.#trouble = outcome.text;
  }

  /** The tenth of a second that is so far from the beginning. */
  slice(sinceStartMs: number): Slice {
    const index = Math.max(0, Math.floor(sinceStartMs / sliceMs));
    while (this.#slices.length <= index) this.#slices.push({ due: 0, good: 0, maxMs: 0 });
    return this.#slices[index] as Slice;
  }

  result(durationMs: number, generatorCpuUs: number): LoadResult {
    const latencies = this.#latencies;
    return {
      sent: this.sent,
      good: this.good,
      seconds: durationMs / 1_000,
      p50Ms: latencies.quantileMs(0.5),
      p99Ms: latencies.quantileMs(0.99),
      maxMs: latencies.maxMs,
      statuses: Object.fromEntries([...this.#statuses].map(([status, count]) => [statusName(status), count])),
      unexplained: this.#unexplained,
      refusedP99Ms: this.#refusals.quantileMs(0.99),
      dropped: this.dropped,
      lagP99Ms: this.lag.quantileMs(0.99),
      trouble: this.#trouble,
      generatorCpuUs,
      slices: this.#slices,
    };
  }
}
