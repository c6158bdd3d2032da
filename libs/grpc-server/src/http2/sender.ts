import { dataHeader, headersFrames, writeFrameHeader } from './frames.ts';
import type { Outbox } from './outbox.ts';
import {
  ConnectionError,
  errorCode,
  flag,
  frameHeaderBytes,
  frameType,
  initialWindow,
  maxFrameBytes,
  maxWindow,
  StreamError,
} from './protocol.ts';
import { ResponseEncoder, type ResponseStatus } from './response-encoder.ts';
import type { PendingData, Stream } from './stream.ts';

/** What precedes a gRPC message: a flag and its length. */
export const messagePrefixBytes = 5;

/** The sending half of a connection: answers under the peer's windows, a frame of each waiting stream in turn. */
export class Sender {
  readonly encoder = new ResponseEncoder();
  /** Set when DATA or HEADERS left, for whoever counts pings. */
  active = false;
  readonly #outbox: Outbox;
  readonly #ended: (stream: Stream) => void;
  readonly #waiting = new Set<Stream>();
  #window = initialWindow;
  #pumping = false;
  #streamWindow = initialWindow;

  /** `ended`: called when a stream's answer is complete. */
  constructor(outbox: Outbox, ended: (stream: Stream) => void) {
    this.#outbox = outbox;
    this.#ended = ended;
  }

  /** Window of a stream that opens now. */
  get streamWindow(): number {
    return this.#streamWindow;
  }

  get waiting(): ReadonlySet<Stream> {
    return this.#waiting;
  }

  head(stream: Stream, extra: Buffer | undefined): void {
    stream.headSent = true;
    this.active = true;
    this.#outbox.push(headersFrames(stream.id, this.encoder.head(extra), false));
  }

  message(stream: Stream, message: Buffer, done: (() => void) | undefined): void {
    if (!stream.headSent) this.head(stream, undefined);
    const size = messagePrefixBytes + message.length;
    if (this.#fits(stream, size)) {
      const out = Buffer.allocUnsafe(frameHeaderBytes + size);
      this.#writeMessage(stream, out, 0, message);
      this.#outbox.push(out);
      done?.();
      return;
    }
    this.#enqueue(stream, prefixOf(message), undefined);
    this.#enqueue(stream, message, done);
    this.pump();
  }

  /** One message and the status: all that a unary call sends, in one piece where it fits. */
  answer(stream: Stream, message: Buffer, status: ResponseStatus): void {
    const size = messagePrefixBytes + message.length;
    if (!this.#fits(stream, size) || status.extra !== undefined) {
      this.message(stream, message, undefined);
      this.finish(stream, status);
      return;
    }
    const head = stream.headSent ? undefined : this.encoder.head(undefined);
    const tail = this.encoder.trailers(status);
    const headBytes = head === undefined ? 0 : frameHeaderBytes + head.length;
    const out = Buffer.allocUnsafe(headBytes + frameHeaderBytes + size + frameHeaderBytes + tail.length);
    let at = 0;
    if (head !== undefined) {
      at = writeFrameHeader(out, at, head.length, frameType.headers, flag.endHeaders, stream.id);
      at += head.copy(out, at);
    }
    at = this.#writeMessage(stream, out, at, message);
    at = writeFrameHeader(out, at, tail.length, frameType.headers, flag.endHeaders | flag.endStream, stream.id);
    tail.copy(out, at);
    stream.headSent = true;
    stream.status = status;
    this.active = true;
    this.#outbox.push(out);
    this.#end(stream);
  }

  finish(stream: Stream, status: ResponseStatus): void {
    stream.status = status;
    if (stream.pendingBytes > 0) return;
    this.active = true;
    const block = stream.headSent ? this.encoder.trailers(status) : this.encoder.trailersOnly(status);
    stream.headSent = true;
    this.#outbox.push(headersFrames(stream.id, block, true));
    this.#end(stream);
  }

  refuse(stream: Stream, httpStatus: number, fields: readonly (readonly [string, string])[]): void {
    stream.headSent = true;
    this.#outbox.push(headersFrames(stream.id, this.encoder.refusal(httpStatus, fields), true));
    this.#end(stream);
  }

  /** WINDOW_UPDATE for a stream, or for the connection. */
  extend(stream: Stream | undefined, increment: number): void {
    if (stream === undefined) {
      this.#window += increment;
      if (this.#window > maxWindow) throw new ConnectionError(errorCode.flowControlError, 'the window overflows');
    } else {
      stream.sendWindow += increment;
      if (stream.sendWindow > maxWindow) throw new StreamError(errorCode.flowControlError, 'the window overflows');
    }
    if (this.#waiting.size > 0) this.pump();
  }

  /** The peer's SETTINGS_INITIAL_WINDOW_SIZE: also open streams change, by the difference. */
  setStreamWindow(size: number, streams: Iterable<Stream>): void {
    const difference = size - this.#streamWindow;
    this.#streamWindow = size;
    for (const stream of streams) {
      stream.sendWindow += difference;
      if (stream.sendWindow > maxWindow) throw new ConnectionError(errorCode.flowControlError, 'a window overflows');
    }
    if (difference > 0) this.pump();
  }

  /** Forgets what a broken stream still wanted to say. */
  drop(stream: Stream): void {
    this.#waiting.delete(stream);
    const pending = stream.pending;
    stream.pending = undefined;
    stream.pendingBytes = 0;
    for (const { done } of pending ?? []) done?.();
  }

  /** Sends what windows and socket allow, one frame of each stream in turn, so that a large answer delays no small one. */
  pump(): void {
    // A write's `done` may write again.
    if (this.#pumping) return;
    this.#pumping = true;
    // A stream that still has something to say goes to the end of the line, where this very loop meets it again.
    for (const stream of this.#waiting) {
      if (this.#window <= 0 || this.#outbox.congested) break;
      if (stream.broken || !this.#sendFrame(stream)) continue;
      this.#waiting.delete(stream);
      if (stream.pendingBytes > 0) this.#waiting.add(stream);
      else if (stream.status !== undefined) this.finish(stream, stream.status);
    }
    this.#pumping = false;
  }

  #fits(stream: Stream, size: number): boolean {
    return (
      size <= maxFrameBytes &&
      size <= this.#window &&
      size <= stream.sendWindow &&
      stream.pendingBytes === 0 &&
      !this.#outbox.congested
    );
  }

  #writeMessage(stream: Stream, out: Buffer, at: number, message: Buffer): number {
    const size = messagePrefixBytes + message.length;
    this.#window -= size;
    stream.sendWindow -= size;
    this.active = true;
    let next = writeFrameHeader(out, at, size, frameType.data, 0, stream.id);
    out[next] = 0;
    next = out.writeUInt32BE(message.length, next + 1);
    return next + message.copy(out, next);
  }

  #enqueue(stream: Stream, bytes: Buffer, done: (() => void) | undefined): void {
    if (stream.pending === undefined || stream.pendingBytes === 0) stream.progressAtMs = performance.now();
    stream.pending ??= [];
    stream.pending.push({ bytes, done });
    stream.pendingBytes += bytes.length;
    this.#waiting.add(stream);
  }

  /** False when the stream's window is closed. */
  #sendFrame(stream: Stream): boolean {
    const size = Math.min(stream.pendingBytes, maxFrameBytes, this.#window, stream.sendWindow);
    if (size <= 0) return false;
    this.#window -= size;
    stream.sendWindow -= size;
    stream.pendingBytes -= size;
    stream.progressAtMs = performance.now();
    this.active = true;
    this.#outbox.push(dataHeader(stream.id, size));
    const sent: PendingData[] = [];
    for (let left = size; left > 0;) {
      const [first] = stream.pending ?? [];
      if (first === undefined) break;
      const part = first.bytes.subarray(0, left);
      left -= part.length;
      this.#outbox.push(part);
      first.bytes = first.bytes.subarray(part.length);
      // An empty message follows its prefix at once.
      while (stream.pending?.[0]?.bytes.length === 0) sent.push(...stream.pending.splice(0, 1));
    }
    // Only now that the frame is whole: these may write again.
    for (const { done } of sent) done?.();
    return true;
  }

  #end(stream: Stream): void {
    stream.localEnded = true;
    this.#ended(stream);
  }
}

function prefixOf(message: Buffer): Buffer {
  const prefix = Buffer.allocUnsafe(messagePrefixBytes);
  prefix[0] = 0;
  prefix.writeUInt32BE(message.length, 1);
  return prefix;
}
