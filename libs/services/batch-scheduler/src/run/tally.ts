import { indexOfKey, isDone } from '@mooring/batch-jobs';
import type { JobRecord, JobTrouble, MiniBatchRecord } from '@mooring/domain';
import type { Entry } from '@mooring/messaging';

type Listing = NonNullable<JobRecord['listing']>;

/**
 * Which mini-batches of one attempt are done and what came of them, from the records as they are told of. Sixteen bytes a mini-batch.
 */
export class Tally {
  readonly #attempt: number;
  readonly #done: Uint8Array;
  readonly #succeeded: Uint32Array;
  readonly #failed: Uint32Array;
  readonly #milliseconds: Float32Array;
  #doneCount = 0;
  readonly totals = { succeeded: 0, failed: 0, runMs: 0 };
  trouble: JobTrouble | undefined;

  constructor(attempt: number, { miniBatches }: Listing) {
    this.#attempt = attempt;
    this.#done = new Uint8Array(miniBatches);
    this.#succeeded = new Uint32Array(miniBatches);
    this.#failed = new Uint32Array(miniBatches);
    this.#milliseconds = new Float32Array(miniBatches);
  }

  get doneCount(): number {
    return this.#doneCount;
  }

  get allDone(): boolean {
    return this.#doneCount === this.#done.length;
  }

  isDone(index: number): boolean {
    return this.#done[index] === 1;
  }

  /** One key of the bucket, as it is now. */
  note(key: string, entry: Entry<MiniBatchRecord | JobTrouble> | undefined): void {
    const index = indexOfKey(key);
    if (index === undefined) {
      const trouble = entry?.value as JobTrouble | undefined;
      if (trouble?.attempt === this.#attempt) this.trouble = trouble;
      return;
    }
    if (index >= this.#done.length) return;
    this.#forget(index);
    const record = entry?.value as MiniBatchRecord | undefined;
    if (record === undefined || !isDone(record, this.#attempt)) return;
    this.#done[index] = 1;
    this.#doneCount += 1;
    this.#succeeded[index] = record.succeeded;
    this.#failed[index] = record.failed;
    this.#milliseconds[index] = Math.max(0, Date.parse(record.endedAt) - Date.parse(record.startedAt));
    this.#add(index, 1);
  }

  #forget(index: number): void {
    if (this.#done[index] !== 1) return;
    this.#add(index, -1);
    this.#done[index] = 0;
    this.#doneCount -= 1;
  }

  #add(index: number, sign: 1 | -1): void {
    this.totals.succeeded += sign * (this.#succeeded[index] ?? 0);
    this.totals.failed += sign * (this.#failed[index] ?? 0);
    this.totals.runMs += sign * (this.#milliseconds[index] ?? 0);
  }
}
