/** Bodies that one message gathers before it is sent, so that one huge answer does not hold up many small ones. */
export const messageTargetBytes = 256 * 1024;

/**
 * Gathers what is to be said until the event loop has read everything that arrived together, then writes it as one
 * message; while a message is under way, the next one gathers. So there is never more than one unfinished write: what
 * has not been taken was certainly not sent, and a slow peer makes the messages larger instead of more.
 */
export class Outbox {
  readonly #take: () => Buffer | undefined;
  readonly #write: (message: Buffer, done: () => void) => void;
  #scheduled = false;
  #writing = false;
  #closed = false;

  /** `take` gives the next message or undefined; `write` calls `done` when the transport has taken it. */
  constructor(take: () => Buffer | undefined, write: (message: Buffer, done: () => void) => void) {
    this.#take = take;
    this.#write = write;
  }

  /** True while a write waits for the peer. */
  get writing(): boolean {
    return this.#writing;
  }

  /** Says that there is something to take. */
  wake(): void {
    if (this.#scheduled || this.#writing || this.#closed) return;
    this.#scheduled = true;
    // setImmediate, not a microtask: callbacks of other sockets that became readable in this turn run first.
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  close(): void {
    this.#closed = true;
  }

  #flush(): void {
    if (this.#writing || this.#closed) return;
    const message = this.#take();
    if (message === undefined) return;
    this.#writing = true;
    this.#write(message, () => {
      this.#writing = false;
      this.#flush();
    });
  }
}
