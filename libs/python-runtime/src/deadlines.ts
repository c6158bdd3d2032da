import type { OpenCall } from './open-call.ts';

/** The deadlines of all open calls by one timer, because most calls end long before theirs. */
export class Deadlines {
  readonly #open: ReadonlySet<OpenCall>;
  readonly #onDue: (open: OpenCall) => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Infinity;

  /** `onDue` is called once for each call that is still in `open` then. */
  constructor(open: ReadonlySet<OpenCall>, onDue: (open: OpenCall) => void) {
    this.#open = open;
    this.#onDue = onDue;
  }

  watch(open: OpenCall): void {
    if (open.dueMs < this.#atMs) this.#arm(open.dueMs);
  }

  #arm(atMs: number): void {
    clearTimeout(this.#timer);
    this.#atMs = atMs;
    this.#timer = setTimeout(() => this.#look(), Math.max(1, Math.ceil(atMs - performance.now())));
    this.#timer.unref();
  }

  #look(): void {
    this.#atMs = Infinity;
    const nowMs = performance.now();
    let nextMs = Infinity;
    for (const open of this.#open) {
      if (open.dueMs > nowMs) nextMs = Math.min(nextMs, open.dueMs);
      else {
        open.dueMs = Infinity;
        this.#onDue(open);
      }
    }
    if (nextMs < this.#atMs) this.#arm(nextMs);
  }
}
