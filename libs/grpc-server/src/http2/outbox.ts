import type { Socket } from 'node:net';

/** Above this, DATA waits: what is in the socket's queue cannot be overtaken by small answers any more. */
const congestedBytes = 256 * 1024;
/** Written together up to this size. */
const copyMaxBytes = 16 * 1024;
/** Parts from this size on are handed over as they are: what is copied has to be collected, which costs more than the copy. */
const largeBytes = 2 * 1024;

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
    this.#parts = [];
    const bytes = this.#bytes;
    this.#bytes = 0;
    if (!this.#socket.writable) return;
    if (bytes <= copyMaxBytes) {
      this.#socket.write(joined(parts, 0, parts.length));
      return;
    }
    this.#socket.cork();
    let from = 0;
    for (let at = 0; at < parts.length; at += 1) {
      const part = parts[at];
      if (part === undefined || part.length < largeBytes) continue;
      if (at > from) this.#socket.write(joined(parts, from, at));
      this.#socket.write(part);
      from = at + 1;
    }
    if (from < parts.length) this.#socket.write(joined(parts, from, parts.length));
    this.#socket.uncork();
  }
}

function joined(parts: readonly Buffer[], from: number, to: number): Buffer {
  const some = parts.slice(from, to);
  const [only] = some;
  return some.length === 1 && only !== undefined ? only : Buffer.concat(some);
}
