/** Weight of what is seen now against what was seen before. */
const newestShare = 0.1;

/**
 * How many rows the next run should have, where several runs are made at the same time. Rows are shared out among them: a run
 * that took all that waits would leave the other cores nothing to do until it ends. And nobody waits for rows that do not
 * come: what is outstanding of late, shared out, is as large as a run will get.
 */
export class BatchSize {
  readonly #rowsMax: number;
  readonly #parallel: number;
  /** Rows that wait or run: the most of late. High at first, so that the first runs do wait for others. */
  #outstanding: number;

  constructor(rowsMax: number, parallel: number) {
    this.#rowsMax = rowsMax;
    this.#parallel = parallel;
    this.#outstanding = rowsMax * parallel;
  }

  /** Rows for which it is worth waiting. */
  wanted(): number {
    return Math.max(1, Math.min(this.#rowsMax, Math.round(this.#outstanding / this.#parallel)));
  }

  /** Rows that a run that begins now may take. */
  share(queuedRows: number, runningRows: number): number {
    const outstanding = queuedRows + runningRows;
    this.#outstanding = Math.max(outstanding, this.#outstanding + newestShare * (outstanding - this.#outstanding));
    return Math.min(this.#rowsMax, Math.ceil(outstanding / this.#parallel));
  }
}
