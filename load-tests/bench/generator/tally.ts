import { Histogram } from './histogram.ts';
import { goodStatus, sliceMs, statusName, type LoadResult, type Slice } from './jobs.ts';
import { isRefusal, type Lane, type Outcome } from './lane.ts';

/** Counts outcomes while a job runs. */
export class Tally {
  sent = 0;
  dropped = 0;
  readonly lag = new Histogram();
  readonly #latencies = new Histogram();
  readonly #refusals = new Histogram();
  readonly #statuses = new Map<number, number>();
  readonly #slices: Slice[] = [];
  readonly #startedAt: number;
  readonly #from: number;
  #trouble = '';
  #unexplained = 0;

  /** Outcomes count for the figures from `from` on, by when they came (`closed`) or when they were due (`open`). */
  constructor(startedAt: number, from: number) {
    this.#startedAt = startedAt;
    this.#from = from;
  }

  /** Of an open job: a request is due. */
  due(at: number): void {
    this.#slice(at).due += 1;
  }

  /** `countsAt`: when it counts, `ms`: how long it took. */
  outcome(outcome: Outcome, countsAt: number, ms: number): void {
    const { status } = outcome;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status === goodStatus) {
      if (countsAt >= this.#from) this.#latencies.add(ms);
      return;
    }
    if (!outcome.isExplained) this.#unexplained += 1;
    if (isRefusal(status)) this.#refusals.add(ms);
    if (this.#trouble === '') this.#trouble = outcome.text;
  }

  sliceOutcome(lane: Lane, outcome: Outcome, ms: number): void {
    if (outcome.status !== goodStatus) return;
    const slice = this.#slice(lane.dueAt);
    slice.good += 1;
    slice.maxMs = Math.max(slice.maxMs, ms);
  }

  result(seconds: number, generatorCpuUs: number): LoadResult {
    const latencies = this.#latencies;
    return {
      sent: this.sent,
      good: latencies.total,
      seconds,
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

  #slice(at: number): Slice {
    const index = Math.max(0, Math.floor((at - this.#startedAt) / sliceMs));
    while (this.#slices.length <= index) this.#slices.push({ due: 0, good: 0, maxMs: 0 });
    return this.#slices[index] as Slice;
  }
}
