import { indexOfKey, isDone } from '@mooring/batch-jobs';
import type { JobRecord, JobTrouble, JobUsage, MiniBatchRecord } from '@mooring/domain';
import type { Entry } from '@mooring/messaging';
import { usageOfRecord } from '../domain/job-usage.ts';

type Listing = NonNullable<JobRecord['listing']>;

/**
 * Which mini-batches of one attempt are done and what came of them, from the records as they are told of. A few bytes a mini-batch.
 */
export class Tally {
  readonly #attempt: number;
  readonly #done: Uint8Array;
  readonly #succeeded: Uint32Array;
  readonly #failed: Uint32Array;
  /** Of this attempt alone; what earlier ones took, the job's document says. */
  readonly #milliseconds: Float32Array;
  readonly #items: Uint32Array;
  readonly #bytes: Float64Array;
  #doneCount = 0;
  readonly totals = { succeeded: 0, failed: 0 };
  readonly #used = { runMs: 0, items: 0, bytes: 0 };
  trouble: JobTrouble | undefined;

  constructor(attempt: number, { miniBatches }: Listing) {
    this.#attempt = attempt;
    this.#done = new Uint8Array(miniBatches);
    this.#succeeded = new Uint32Array(miniBatches);
    this.#failed = new Uint32Array(miniBatches);
    this.#milliseconds = new Float32Array(miniBatches);
    this.#items = new Uint32Array(miniBatches);
    this.#bytes = new Float64Array(miniBatches);
  }

  /** What this attempt took until now. */
  get usage(): JobUsage {
    const { runMs, items, bytes } = this.#used;
    return { instanceS: runMs / 1_000, items, bytes };
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
    const { instanceS, items, bytes } = usageOfRecord(record, this.#attempt);
    this.#milliseconds[index] = instanceS * 1_000;
    this.#items[index] = items;
    this.#bytes[index] = bytes;
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
    this.#used.runMs += sign * (this.#milliseconds[index] ?? 0);
    this.#used.items += sign * (this.#items[index] ?? 0);
    this.#used.bytes += sign * (this.#bytes[index] ?? 0);
  }
}
