/** Bodies that one message gathers before it is sent, so that one huge answer does not hold up many small ones. */
export const messageTargetBytes = 256 * 1024;

const largeMessageBytes = 64 * 1024;

/**
 * Gathers what is to be said, as a rule until the event loop has read everything that arrived together, then writes it as one
 * message; while a message is under way, the next one gathers. So there is never more than one unfinished write: what
 * has not been taken was certainly not sent, and a slow peer makes the messages larger instead of more.
 */
export class Outbox {
  readonly #take: () => Buffer | undefined;
  readonly #write: (message: Buffer, done: () => void) => void;
  #scheduled = false;
  #writing = false;
  #closed = false;
  readonly #leave = (): void => {
    this.#scheduled = false;
    this.#flush();
  };

  /** `take` gives the next message or undefined; `write` calls `done` when the transport has taken it. */
  constructor(take: () => Buffer | undefined, write: (message: Buffer, done: () => void) => void) {
    this.#take = take;
    this.#write = write;
  }

  /** True while a write waits for the peer. */
  get writing(): boolean {
    return this.#writing;
  }

  /** Says that there is something to take. `now`: it does not wait for what else this turn of the event loop brings. */
  wake(now = false): void {
    if (this.#scheduled || this.#writing || this.#closed) return;
    this.#scheduled = true;
    if (now) process.nextTick(this.#leave);
    // Not a microtask: callbacks of other sockets that became readable in this turn run first.
    else setImmediate(this.#leave);
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
      // After a large one everybody else gets a turn first.
      if (message.length > largeMessageBytes) this.wake();
      else this.#flush();
    });
  }
}

const roomBytes = 512 * 1024;
const smallBytes = 32 * 1024;

/**
 * Memory for one message after the other: only one is ever under way, and what the transport has taken it has copied. What is
 * allocated outside V8's heap counts towards garbage collections that stop the event loop for 5 to 10 ms each.
 */
export class MessageRoom {
  #room: Buffer | undefined;

  readonly take = (bytes: number): Buffer => {
    if (bytes < smallBytes || bytes > roomBytes) return Buffer.allocUnsafe(bytes);
    return (this.#room ??= Buffer.allocUnsafeSlow(roomBytes)).subarray(0, bytes);
  };
}

/** Frees a message of chunks, all of which were copied: sooner than the garbage collector, which would come for it. */
export function free(message: Buffer): void {
  if (message.byteLength === message.buffer.byteLength) (message.buffer as ArrayBuffer).transfer(0);
}
