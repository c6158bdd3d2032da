import type { Socket } from 'node:net';

/** Above this, DATA waits: what is in the socket's queue cannot be overtaken by small answers any more. */
const congestedBytes = 256 * 1024;
/** Writes up to this size are copied together, larger ones are handed over as they are. */
const copyMaxBytes = 64 * 1024;

/** Gathers the frames of one turn of the event loop and writes them at once: a system call costs more than a call's work. */
export class Outbox {
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #bytes = 0;
  #scheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that the kernel has not taken. */
  get waitingBytes(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  get congested(): boolean {
    return this.#bytes + this.#socket.writableLength >= congestedBytes;
  }

  /** `part` must not change afterwards. */
  push(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    // setImmediate, not a microtask: what other sockets and promises finish in this turn goes out with it.
    setImmediate(this.#flushLater);
  }

  readonly #flushLater = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  flush(): void {
    const parts = this.#parts;
    if (parts.length === 0) return;
    const bytes = this.#bytes;
    this.#parts = [];
    this.#bytes = 0;
    if (!this.#socket.writable) return;
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) this.#socket.write(only);
    else if (bytes <= copyMaxBytes) this.#socket.write(Buffer.concat(parts, bytes));
    else {
      this.#socket.cork();
      for (const part of parts) this.#socket.write(part);
      this.#socket.uncork();
    }
  }
}
