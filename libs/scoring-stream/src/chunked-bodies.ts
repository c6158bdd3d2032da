import type { Chunk } from '@mooring/contracts/scoring';
import { bodyBytesMax } from './method.ts';

/** A body above this size travels in chunks, between which everybody else's frames go. */
export const largeBodyBytes = 256 * 1024;
/** What a small frame waits for at most on our account; writing and reading it takes each side some 0.1 ms. */
export const chunkBytes = 128 * 1024;

interface Outgoing<T> {
  id: number;
  body: Buffer;
  sent: number;
  of: T;
}

/** The next piece of a large body: a chunk, or its rest, which goes with the frame that the body belongs to. */
export type Piece<T> = { chunk: Chunk; rest?: never } | { chunk?: never; rest: Buffer; id: number; of: T };

/** Large bodies on their way out, a piece of each in turn. */
export class OutgoingBodies<T> {
  readonly #bodies = new Map<number, Outgoing<T>>();

  get size(): number {
    return this.#bodies.size;
  }

  add(id: number, body: Buffer, of: T): void {
    this.#bodies.set(id, { id, body, sent: 0, of });
  }

  /** Sends no more of it; says what it was of, if it was there. */
  drop(id: number): T | undefined {
    const found = this.#bodies.get(id)?.of;
    this.#bodies.delete(id);
    return found;
  }

  clear(): void {
    this.#bodies.clear();
  }

  take(): Piece<T> | undefined {
    const [one] = this.#bodies.values();
    if (one === undefined) return undefined;
    const { id, body, sent, of } = one;
    this.#bodies.delete(id);
    if (body.length - sent <= chunkBytes) return { id, of, rest: body.subarray(sent) };
    one.sent += chunkBytes;
    this.#bodies.set(id, one);
    return { chunk: { id, body: body.subarray(sent, one.sent), totalBytes: sent === 0 ? body.length : 0 } };
  }
}

interface Incoming {
  body: Buffer;
  filled: number;
}

/** Large bodies on their way in, until the frames that they belong to are here. Throws RangeError for what no peer of ours sends. */
export class IncomingBodies {
  readonly #bodies = new Map<number, Incoming>();

  get size(): number {
    return this.#bodies.size;
  }

  has(id: number): boolean {
    return this.#bodies.has(id);
  }

  add({ id, body, totalBytes }: Chunk): void {
    let one = this.#bodies.get(id);
    if (one === undefined) {
      if (totalBytes > bodyBytesMax) throw new RangeError(`a body of ${totalBytes} bytes; ${bodyBytesMax} are taken`);
      // Memory that is not written to yet costs next to nothing.
      this.#bodies.set(id, (one = { body: Buffer.allocUnsafeSlow(totalBytes), filled: 0 }));
    }
    this.#fill(one, body);
  }

  /** The whole body of a frame that came with `rest`. */
  join(id: number, rest: Buffer): Buffer {
    const one = this.#bodies.get(id);
    if (one === undefined) return rest;
    this.#bodies.delete(id);
    this.#fill(one, rest);
    if (one.filled < one.body.length) throw new RangeError('a body ends before all of its bytes have come');
    return one.body;
  }

  drop(id: number): void {
    this.#bodies.delete(id);
  }

  clear(): void {
    this.#bodies.clear();
  }

  #fill(one: Incoming, bytes: Buffer): void {
    if (one.filled + bytes.length > one.body.length) throw new RangeError('a body is longer than it said it would be');
    one.body.set(bytes, one.filled);
    one.filled += bytes.length;
  }
}
