export interface GiveWayOptions {
  /** Mini-batches that may run at once while nobody else wants the machine. */
  places: number;
  /** How many of them others need just now; any number. */
  taken: () => number;
  /** So long after the last one began, one more begins however many are taken, so that every job ends at some time. */
  patienceMs: number;
}

/** Lets mini-batches begin in the order in which they ask, no more at once than there are places that nobody else needs. */
export class GiveWay {
  readonly #options: GiveWayOptions;
  readonly #waiting = new Set<() => void>();
  #inside = 0;
  #lastMs = performance.now();

  constructor(options: GiveWayOptions) {
    this.#options = options;
  }

  /** Resolves with what ends it again, or with undefined once `signal` is aborted. */
  async enter(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined;
    const turn = Promise.withResolvers<void>();
    const stand = (): void => turn.resolve();
    signal.addEventListener('abort', stand, { once: true });
    this.#waiting.add(stand);
    this.look();
    await turn.promise;
    signal.removeEventListener('abort', stand);
    // Still waiting: it was not its turn that ended the waiting.
    if (this.#waiting.delete(stand)) return undefined;
    return () => {
      this.#inside -= 1;
      this.look();
    };
  }

  /** Called now and then, because `taken` says nothing of its own accord. */
  look(): void {
    for (const stand of this.#waiting) {
      if (!this.#hasRoom()) return;
      this.#waiting.delete(stand);
      this.#inside += 1;
      this.#lastMs = performance.now();
      stand();
    }
  }

  #hasRoom(): boolean {
    const { places, taken, patienceMs } = this.#options;
    if (this.#inside < places - Math.round(taken())) return true;
    return this.#inside === 0 && performance.now() - this.#lastMs >= patienceMs;
  }
}
