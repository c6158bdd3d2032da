import { randomUUID } from 'node:crypto';
import { jobKey, jsonLines, type JobFiles } from '@mooring/batch-jobs';
import type { JobRecord, MiniBatch } from '@mooring/domain';
import type { Work } from '../ports.ts';
import type { Tally } from './tally.ts';

/** Mini-batches of one job that are on the queue at once: enough for any number of workers, few enough to forget quickly. */
const windowMax = 256;
/** The document says ahead how far the queue may have got, a step at a time. */
const announcedStep = 1_024;

/**
 * Puts what is left of a job on the work queue, a window at a time. Begins from nothing: what an earlier one had on the queue is
 * dropped first. Something that is run twice for it counts once.
 */
export class Feed {
  readonly #job: JobRecord;
  readonly #tally: Tally;
  readonly #work: Work;
  readonly #announce: (pushedTo: number) => Promise<void>;
  readonly #lines: AsyncGenerator<{ value: MiniBatch; start: number; length: number }>;
  readonly #epoch = randomUUID();
  readonly #outstanding = new Map<number, { start: number; length: number }>();
  #announced: number;
  #ended = false;

  constructor(
    job: JobRecord,
    files: JobFiles,
    tally: Tally,
    work: Work,
    announce: (pushedTo: number) => Promise<void>,
  ) {
    this.#job = job;
    this.#tally = tally;
    this.#work = work;
    this.#announce = announce;
    this.#announced = job.pushedTo;
    this.#lines = jsonLines<MiniBatch>(files.miniBatches);
  }

  /** Fills the window up. Rejects when the queue cannot be reached; then a new Feed takes over. */
  async fill(): Promise<void> {
    for (const index of this.#outstanding.keys()) if (this.#tally.isDone(index)) this.#outstanding.delete(index);
    while (!this.#ended && this.#outstanding.size < windowMax) {
      const line = await this.#lines.next();
      if (line.done === true) {
        this.#ended = true;
        return;
      }
      const { value, start, length } = line.value;
      if (this.#tally.isDone(value.index)) continue;
      await this.#push(value.index, { start, length }, this.#epoch);
    }
  }

  /**
   * Pushes what is outstanding once more if the queue holds none of it: whoever had it answered without a record, or the queue
   * was emptied behind our back.
   */
  async mend(): Promise<void> {
    if (this.#outstanding.size === 0) return;
    const { waiting, taken } = await this.#work.count(jobKey(this.#job.name));
    if (waiting + taken > 0) return;
    const again = randomUUID();
    for (const [index, place] of this.#outstanding) {
      if (!this.#tally.isDone(index)) await this.#push(index, place, again);
    }
  }

  async close(): Promise<void> {
    await this.#lines.return(undefined);
  }

  async #push(index: number, place: { start: number; length: number }, epoch: string): Promise<void> {
    if (index >= this.#announced) {
      this.#announced = index + announcedStep;
      await this.#announce(this.#announced);
    }
    const { name, attempt } = this.#job;
    const lane = jobKey(name);
    await this.#work.push(lane, `${lane}.${epoch}.${index}`, { job: name, attempt, index, ...place });
    this.#outstanding.set(index, place);
  }
}
