import { PlatformError } from '@mooring/errors';
import type { HttpRequest } from './server/http-request.ts';

/** Bytes of request bodies that are in memory in this process; a bound over all requests. */
export class BodyMemory {
  readonly #bytesMax: number;
  #taken = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Throws `unavailable` when there is no room. */
  take(bytes: number): void {
    if (this.#taken + bytes > this.#bytesMax) {
      throw new PlatformError('unavailable', 'BODY_MEMORY_FULL', 'too many large requests are being read; try again', {
        retryAfterMs: 1_000,
      });
    }
    this.#taken += bytes;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}

/** What one request holds of the memory; give it back once. */
export class HeldBytes {
  readonly #memory: BodyMemory;
  #held = 0;

  constructor(memory: BodyMemory) {
    this.#memory = memory;
  }

  take(bytes: number): void {
    this.#memory.take(bytes);
    this.#held += bytes;
  }

  giveAll(): void {
    this.#memory.give(this.#held);
    this.#held = 0;
  }
}

const noBody = Buffer.alloc(0);
/** Pieces below this size are gathered in blocks: each piece on its own costs more memory than it holds. */
const smallPieceBytes = 8 * 1024;
const blockBytes = 64 * 1024;
/** Up to here the pieces are joined at their end. */
const joinedBytesMax = 1024 * 1024;

export function tooLarge(bytesMax: number): PlatformError {
  return new PlatformError('too_large', 'BODY_TOO_LARGE', `a request body may have at most ${bytesMax} bytes`);
}

/** The caller's own time was up before its request was here. */
export function arrivedTooLate(): PlatformError {
  return new PlatformError(
    'deadline_exceeded',
    'DEADLINE_PASSED',
    'the request took longer to arrive than its x-request-timeout-ms',
  );
}

/**
 * The whole body, as sent; at once where it came together with its head. Refuses by Content-Length before a byte is read,
 * and while reading otherwise. A body that is not whole when the caller's own time is up (`leftMs`; 0 = no such time) is
 * not waited for.
 */
export function readBody(
  request: HttpRequest,
  bytesMax: number,
  held: HeldBytes,
  leftMs: number,
): Buffer | Promise<Buffer> {
  const { contentLength } = request.head;
  if (contentLength === 0) return noBody;
  if (contentLength !== undefined && contentLength > bytesMax) throw tooLarge(bytesMax);
  const whole = request.takeWhole();
  if (whole === undefined) return collect(request, bytesMax, held, leftMs);
  if (whole.length > bytesMax) throw tooLarge(bytesMax);
  held.take(whole.length);
  return whole;
}

function collect(request: HttpRequest, bytesMax: number, held: HeldBytes, leftMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces = new Pieces(request.head.contentLength);
    let over = false;
    const fail = (error: PlatformError): void => {
      over = true;
      clearTimeout(timer);
      reject(error);
    };
    const timer = leftMs > 0 ? setTimeout(() => fail(arrivedTooLate()), leftMs) : undefined;
    request.receive({
      data: (piece) => {
        if (over) return;
        if (pieces.bytes + piece.length > bytesMax) return fail(tooLarge(bytesMax));
        try {
          held.take(piece.length);
        } catch (thrown) {
          return fail(PlatformError.from(thrown));
        }
        pieces.add(piece);
      },
      end: () => {
        clearTimeout(timer);
        if (!over) resolve(pieces.join());
      },
      fail,
    });
  });
}

/**
 * Puts a body together. A large one goes into its place piece by piece: joining 50 MB at their end would hold up everybody
 * else for 20 ms.
 */
class Pieces {
  bytes = 0;
  readonly #announcedBytes: number;
  #pieces: Buffer[] = [];
  #block: Buffer = noBody;
  #blockUsed = 0;
  /** Where the body goes once it is a large one. */
  #room: Buffer | undefined;

  /** `announcedBytes`: its length, where the caller has told it. */
  constructor(announcedBytes = 0) {
    this.#announcedBytes = announcedBytes;
  }

  add(piece: Buffer): void {
    if (this.#room !== undefined) return this.#fill(piece);
    this.bytes += piece.length;
    if (piece.length >= smallPieceBytes) {
      this.#closeBlock();
      this.#pieces.push(piece);
      if (this.bytes > joinedBytesMax) this.#makeRoom(this.bytes);
      return;
    }
    if (this.#blockUsed + piece.length > this.#block.length) {
      this.#closeBlock();
      this.#block = Buffer.allocUnsafeSlow(blockBytes);
    }
    this.#block.set(piece, this.#blockUsed);
    this.#blockUsed += piece.length;
    if (this.bytes > joinedBytesMax) this.#makeRoom(this.bytes);
  }

  join(): Buffer {
    if (this.#room !== undefined) return this.#room.subarray(0, this.bytes);
    this.#closeBlock();
    return this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces, this.bytes);
  }

  #fill(piece: Buffer): void {
    const needed = this.bytes + piece.length;
    if (needed > (this.#room?.length ?? 0)) this.#makeRoom(needed);
    this.#room?.set(piece, this.bytes);
    this.bytes = needed;
    // Sooner than the garbage collector, which stops everybody for each 64 MB; not before the parser is done with it.
    if (piece.length >= smallPieceBytes && piece.length === piece.buffer.byteLength) queueMicrotask(() => free(piece));
  }

  /** What is announced is believed: memory that is not written to yet costs next to nothing. Otherwise it doubles. */
  #makeRoom(needed: number): void {
    const room = Buffer.allocUnsafeSlow(Math.max(this.#announcedBytes, needed * 2));
    this.#closeBlock();
    let at = this.#room?.copy(room, 0, 0, this.bytes) ?? 0;
    for (const piece of this.#pieces) at += piece.copy(room, at);
    this.#pieces = [];
    this.#room = room;
  }

  #closeBlock(): void {
    if (this.#blockUsed > 0) this.#pieces.push(this.#block.subarray(0, this.#blockUsed));
    this.#block = this.#block.subarray(this.#blockUsed);
    this.#blockUsed = 0;
  }
}

/** Memory that the socket made for one read, of which everything was copied. */
function free(read: Buffer): void {
  (read.buffer as ArrayBuffer).transfer(0);
}
