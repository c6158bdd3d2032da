import { ConnectionError, errorCode, flag, frameHeaderBytes, frameType, maxFrameBytes } from './protocol.ts';

export interface FrameConsumer {
  /** A whole frame other than unpadded DATA. */
  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void;
  /** Bytes of a DATA frame as they arrive. `windowBytes`: what they take from the windows. `last`: the stream's last. */
  onData(streamId: number, chunk: Buffer, windowBytes: number, last: boolean): void;
}

const nothing = Buffer.alloc(0);

/** Cuts what a socket delivers into frames. DATA is passed on in parts, so that large bodies are never put together here. */
export class FrameReader {
  readonly #consumer: FrameConsumer;
  #rest: Buffer = nothing;
  #dataLeft = 0;
  #dataStream = 0;
  #dataLast = false;

  constructor(consumer: FrameConsumer) {
    this.#consumer = consumer;
  }

  /** Throws ConnectionError for a frame that is too large, and what the consumer throws. */
  push(chunk: Buffer): void {
    const buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = nothing;
    let at = this.#dataLeft > 0 ? this.#continueData(buffer, 0) : 0;
    while (buffer.length - at >= frameHeaderBytes) {
      const length = ((buffer[at] ?? 0) << 16) | ((buffer[at + 1] ?? 0) << 8) | (buffer[at + 2] ?? 0);
      const type = buffer[at + 3] ?? 0;
      const flags = buffer[at + 4] ?? 0;
      const streamId = buffer.readUInt32BE(at + 5) & 0x7fffffff;
      if (length > maxFrameBytes) {
        throw new ConnectionError(errorCode.frameSizeError, `a frame of ${length} bytes is more than ${maxFrameBytes}`);
      }
      const payload = at + frameHeaderBytes;
      if (type === frameType.data && (flags & flag.padded) === 0) {
        this.#dataStream = streamId;
        this.#dataLeft = length;
        this.#dataLast = (flags & flag.endStream) !== 0;
        at = length === 0 ? this.#emptyData(payload) : this.#continueData(buffer, payload);
      } else {
        if (buffer.length - payload < length) break;
        at = payload + length;
        this.#consumer.onFrame(type, flags, streamId, buffer.subarray(payload, at));
      }
    }
    // A copy, so that a few bytes do not keep a whole read alive.
    if (at < buffer.length) this.#rest = Buffer.from(buffer.subarray(at));
  }

  #emptyData(at: number): number {
    this.#consumer.onData(this.#dataStream, nothing, 0, this.#dataLast);
    return at;
  }

  /** Passes on what there is of the present DATA frame; gives where the next frame starts. */
  #continueData(buffer: Buffer, at: number): number {
    const size = Math.min(this.#dataLeft, buffer.length - at);
    if (size === 0) return at;
    this.#dataLeft -= size;
    const last = this.#dataLeft === 0 && this.#dataLast;
    this.#consumer.onData(this.#dataStream, buffer.subarray(at, at + size), size, last);
    return at + size;
  }
}
