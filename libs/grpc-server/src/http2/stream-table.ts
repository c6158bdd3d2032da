import { resetFrame } from './frames.ts';
import { TokenBucket, type ConnectionLimits } from './limits.ts';
import type { Outbox } from './outbox.ts';
import { errorCode } from './protocol.ts';
import type { Sender } from './sender.ts';
import type { Stream } from './stream.ts';

/** Closed streams that are remembered, so that what was under way for them is told from what should never have come. */
const goneIdsKept = 128;

/** Calls that are open over all connections of a server. */
export interface OpenCalls {
  count: number;
  readonly max: number;
}

/** The streams of one connection, and how the latest of them ended. */
export class StreamTable {
  readonly open = new Map<number, Stream>();
  /** The newest stream that the peer opened, also one that was refused. */
  lastId = 0;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #calls: OpenCalls;
  readonly #emptied: () => void;
  readonly #cancels: TokenBucket;
  /** Reset from here: the peer may not know yet, what it sent is no fault. */
  readonly #resetIds = new Int32Array(goneIdsKept);
  /** Ended by the peer, properly or by a reset: it must not send more. */
  readonly #endedIds = new Int32Array(goneIdsKept);
  #resets = 0;
  #ends = 0;

  /** `emptied`: called when the last open stream is gone. */
  constructor(outbox: Outbox, sender: Sender, limits: ConnectionLimits, calls: OpenCalls, emptied: () => void) {
    this.#calls = calls;
    this.#outbox = outbox;
    this.#sender = sender;
    this.#emptied = emptied;
    this.#cancels = new TokenBucket(limits.cancelBurst, limits.cancelsPerSecond);
  }

  wasReset(streamId: number): boolean {
    return this.#resetIds.includes(streamId);
  }

  wasEnded(streamId: number): boolean {
    return this.#endedIds.includes(streamId);
  }

  /** False when the server has as many as it can. */
  add(stream: Stream): boolean {
    if (this.#calls.count >= this.#calls.max) return false;
    this.#calls.count += 1;
    this.open.set(stream.id, stream);
    return true;
  }

  /** Says no to a stream that is not open: refused, malformed or closed. */
  refuse(streamId: number, code: number): void {
    this.#outbox.push(resetFrame(streamId, code));
    this.#rememberReset(streamId);
  }

  reset(stream: Stream, code: number): void {
    this.refuse(stream.id, code);
    this.break(stream, code);
  }

  /** The peer reset it; false when it has done so too often. */
  cancelled(stream: Stream, code: number): boolean {
    this.#rememberEnd(stream.id);
    this.break(stream, code);
    return this.#cancels.take();
  }

  /** The answer is complete. */
  answered(stream: Stream): void {
    this.#cancels.giveBack();
    if (stream.remoteEnded) this.#rememberEnd(stream.id);
    // RFC 9113, 8.1: asks the caller to keep the rest of its request.
    else this.refuse(stream.id, errorCode.noError);
    this.#forget(stream);
  }

  break(stream: Stream, code: number): void {
    if (stream.broken) return;
    stream.broken = true;
    this.#sender.drop(stream);
    this.#forget(stream);
    stream.sink?.onBroken(code);
  }

  breakAll(code: number): void {
    for (const stream of this.open.values()) this.break(stream, code);
  }

  #forget(stream: Stream): void {
    if (this.open.delete(stream.id)) this.#calls.count -= 1;
    if (this.open.size === 0) this.#emptied();
  }

  #rememberReset(streamId: number): void {
    this.#resetIds[this.#resets] = streamId;
    this.#resets = (this.#resets + 1) % goneIdsKept;
  }

  #rememberEnd(streamId: number): void {
    this.#endedIds[this.#ends] = streamId;
    this.#ends = (this.#ends + 1) % goneIdsKept;
  }
}
