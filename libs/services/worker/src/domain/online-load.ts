import type { ProcessLoad } from '@mooring/telemetry';

/** How much the newest second counts; what is older counts for the rest. */
const newest = 0.5;

/**
 * How many online requests are being answered at once, on the average of the last few seconds, all processes together: the seconds that
 * requests took, for each second that passed.
 */
export class OnlineLoad {
  #before = new Map<string, number>();
  #beforeMs: number | undefined;
  #inFlight = 0;

  get inFlight(): number {
    return this.#inFlight;
  }

  /** What every process said at `atMs`. Of one that is heard for the first time only what comes afterwards counts. */
  note(answers: readonly ProcessLoad[], atMs: number): void {
    const passedS = this.#beforeMs === undefined ? 0 : (atMs - this.#beforeMs) / 1_000;
    let requestS = 0;
    for (const { process, requestSeconds } of answers) {
      requestS += Math.max(0, requestSeconds - (this.#before.get(process) ?? requestSeconds));
    }
    if (passedS > 0) this.#inFlight += newest * (requestS / passedS - this.#inFlight);
    this.#before = new Map(answers.map(({ process, requestSeconds }) => [process, requestSeconds]));
    this.#beforeMs = atMs;
  }
}
