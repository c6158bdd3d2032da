import type { ScoreReply } from './port.ts';

/** From here on a message for each call costs nothing beside the call: a hundred a second for each worker at most. */
const longUs = 10_000;
/** Share of the latest call in what is usual. */
const latest = 1 / 8;

/**
 * Whether calls of one stream take long. Then what is to be said leaves at once: those who wait for answers notice what it waits for
 * more of its kind, most of all where many calls end together.
 */
export class CallLengths {
  #usualUs = 0;

  note({ timing }: Pick<ScoreReply, 'timing'>): void {
    if (timing !== undefined) this.#usualUs += (timing.computeUs - this.#usualUs) * latest;
  }

  get long(): boolean {
    return this.#usualUs >= longUs;
  }
}
