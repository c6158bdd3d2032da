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
/** Up to here a body gets room for no more than some times what has come: who announces much need not send it. */
const believedBytes = 1024 * 1024;
const roomFactor = 16;

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
 * Puts a body together: each piece goes into its place as it comes. Joining 50 MB at their end would hold up everybody else for
 * 20 ms, and pieces of their own cost a garbage collection for each 64 MB.
 */
class Pieces {
  bytes = 0;
  readonly #announcedBytes: number;
  #room: Buffer = noBody;

  /** `announcedBytes`: its length, where the caller has told it. */
  constructor(announcedBytes = 0) {
    this.#announcedBytes = announcedBytes;
  }

  add(piece: Buffer): void {
    const needed = this.bytes + piece.length;
    if (needed > this.#room.length) this.#makeRoom(needed);
    this.#room.set(piece, this.bytes);
    this.bytes = needed;
  }

  join(): Buffer {
    return this.#room.subarray(0, this.bytes);
  }

  /** Memory that is not written to yet costs next to nothing, but V8 counts it. What has no length doubles. */
  #makeRoom(needed: number): void {
    const most = needed > believedBytes ? this.#announcedBytes : Math.min(this.#announcedBytes, needed * roomFactor);
    const room = Buffer.allocUnsafeSlow(most >= needed ? most : needed * 2);
    this.#room.copy(room, 0, 0, this.bytes);
    this.#room = room;
  }
}
