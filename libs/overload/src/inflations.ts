import { availableParallelism } from 'node:os';
import { createGunzip, createInflate, createInflateRaw, type Inflate } from 'node:zlib';

export type InflateFormat = 'gzip' | 'zlib' | 'raw';

export interface Inflation {
  bytes: Buffer;
  format: InflateFormat;
  /** More than this is `too large`. */
  bytesMax: number;
  /** Told of every piece before it is kept; what it throws ends the inflation. Who gives the bytes back is the caller's affair. */
  take(bytes: number, piece: Buffer): void;
  /** Whose turn it is: a connection, an endpoint. All of them get their turns alike. */
  owner: unknown;
  /** Ends the waiting and the work, at once; `take` is not called afterwards. */
  signal: AbortSignal;
}

/** Why an inflation did not come to its end by itself. */
export class InflateError extends Error {
  readonly reason: 'too large' | 'malformed';

  constructor(reason: InflateError['reason'], options?: ErrorOptions) {
    super(`what was to be inflated is ${reason}`, options);
    this.reason = reason;
  }
}

interface Waiting {
  signal: AbortSignal;
  begin(): void;
  drop: () => void;
}

interface Lane {
  running: number;
  waiting: Set<Waiting>;
}

const ownerMostDefault = 4;
const pieceBytes = 64 * 1024;
/** Doubled up to here; then room is made for all that may come: memory that is not written to yet costs next to nothing. */
const doubledBytesMax = 16 * 1024 * 1024;
const nothing = Buffer.alloc(0);

/**
 * Inflates few at a time and piece by piece. A thousandth of a bomb is enough to make it, so what it becomes is counted
 * while it grows, and there are never so many of them at work that those who send none do not get their turn.
 */
export class Inflations {
  readonly #most: number;
  readonly #ownerMost: number;
  /** In the order of their next turns. */
  readonly #lanes = new Map<unknown, Lane>();
  #running = 0;

  constructor(most = Math.max(8, 2 * availableParallelism()), ownerMost = ownerMostDefault) {
    this.#most = most;
    this.#ownerMost = ownerMost;
  }

  /** At work just now. */
  get running(): number {
    return this.#running;
  }

  /** Rejects with InflateError, with what `take` threw, or with the signal's reason. */
  async inflate(job: Inflation): Promise<Buffer> {
    job.signal.throwIfAborted();
    await this.#turn(job);
    try {
      job.signal.throwIfAborted();
      return await inflateOne(job);
    } finally {
      this.#done(job.owner);
    }
  }

  #turn({ owner, signal }: Inflation): Promise<void> | undefined {
    const lane = this.#lane(owner);
    if (this.#running < this.#most && lane.running < this.#ownerMost) {
      this.#begin(owner, lane);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const one: Waiting = {
        signal,
        begin: resolve,
        drop: () => {
          lane.waiting.delete(one);
          this.#forget(owner, lane);
          reject(signal.reason as Error);
        },
      };
      lane.waiting.add(one);
      signal.addEventListener('abort', one.drop, { once: true });
    });
  }

  #lane(owner: unknown): Lane {
    let lane = this.#lanes.get(owner);
    if (lane === undefined) {
      lane = { running: 0, waiting: new Set() };
      this.#lanes.set(owner, lane);
    }
    return lane;
  }

  #begin(owner: unknown, lane: Lane): void {
    this.#running += 1;
    lane.running += 1;
    // The next turn is somebody else's.
    this.#lanes.delete(owner);
    this.#lanes.set(owner, lane);
  }

  #done(owner: unknown): void {
    const lane = this.#lane(owner);
    this.#running -= 1;
    lane.running -= 1;
    this.#forget(owner, lane);
    // At most as many lanes as inflations are at work have no one to begin.
    for (const [next, { running, waiting }] of this.#lanes) {
      const [first] = waiting;
      if (first === undefined || running >= this.#ownerMost) continue;
      waiting.delete(first);
      first.signal.removeEventListener('abort', first.drop);
      this.#begin(next, this.#lane(next));
      first.begin();
      return;
    }
  }

  #forget(owner: unknown, lane: Lane): void {
    if (lane.running === 0 && lane.waiting.size === 0) this.#lanes.delete(owner);
  }
}

function inflateOne({ bytes, format, bytesMax, take, signal }: Inflation): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = streamOf(format);
    let room: Buffer = nothing;
    let size = 0;
    const stop = (thrown: unknown): void => {
      signal.removeEventListener('abort', aborted);
      room = nothing;
      stream.destroy();
      reject(thrown as Error);
    };
    const aborted = (): void => stop(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    stream.on('data', (piece: Buffer) => {
      if (stream.destroyed) return;
      if (size + piece.length > bytesMax) return stop(new InflateError('too large'));
      try {
        take(piece.length, piece);
      } catch (thrown) {
        return stop(thrown);
      }
      room = withRoom(room, size, size + piece.length, bytesMax);
      piece.copy(room, size);
      size += piece.length;
    });
    stream.once('error', (cause) => stop(new InflateError('malformed', { cause })));
    stream.once('end', () => {
      signal.removeEventListener('abort', aborted);
      resolve(room.subarray(0, size));
      stream.destroy();
    });
    stream.end(bytes);
  });
}

/** No large one is ever copied at once, which would hold up everybody else. */
function withRoom(room: Buffer, size: number, needed: number, bytesMax: number): Buffer {
  if (needed <= room.length) return room;
  const grown = needed > doubledBytesMax ? bytesMax : Math.min(bytesMax, Math.max(needed, room.length * 2));
  const next = Buffer.allocUnsafeSlow(grown);
  room.copy(next, 0, 0, size);
  return next;
}

function streamOf(format: InflateFormat): Inflate {
  const options = { chunkSize: pieceBytes };
  if (format === 'gzip') return createGunzip(options) as unknown as Inflate;
  return format === 'zlib' ? createInflate(options) : (createInflateRaw(options) as unknown as Inflate);
}
