import { ConnectionError, errorCode, flag } from './protocol.ts';

/** Frames that one header block may take: more than any list within the limit needs. */
const framesMax = 64;

export interface HeaderBlock {
  bytes: Buffer;
  /** The stream ends with it. */
  endStream: boolean;
}

/** Puts HEADERS and its CONTINUATIONs together. A block that never ends, or is far too long, ends the connection. */
export class HeaderBlocks {
  readonly #bytesMax: number;
  readonly #withinMs: number;
  #streamId = 0;
  #parts: Buffer[] = [];
  #bytes = 0;
  #endStream = false;
  #sinceMs = 0;

  /** `listMax`: of a decoded list. A block that is longer than four of them cannot have been meant well. */
  constructor(listMax: number, withinMs: number) {
    this.#bytesMax = listMax * 4;
    this.#withinMs = withinMs;
  }

  /** HEADERS; undefined while the block goes on. */
  open(streamId: number, flags: number, payload: Buffer): HeaderBlock | undefined {
    if (streamId === 0) throw new ConnectionError(errorCode.protocolError, 'HEADERS for the connection');
    const fragment = fragmentOf(streamId, flags, payload);
    const endStream = (flags & flag.endStream) !== 0;
    if ((flags & flag.endHeaders) !== 0) return { bytes: fragment, endStream };
    this.#streamId = streamId;
    this.#endStream = endStream;
    this.#sinceMs = performance.now();
    this.#add(fragment);
    return undefined;
  }

  /** CONTINUATION; undefined while the block goes on. */
  continue(streamId: number, flags: number, payload: Buffer): HeaderBlock | undefined {
    if (this.#streamId === 0 || streamId !== this.#streamId) {
      throw new ConnectionError(errorCode.protocolError, 'CONTINUATION of nothing');
    }
    this.#add(payload);
    if ((flags & flag.endHeaders) === 0) return undefined;
    const block = { bytes: Buffer.concat(this.#parts), endStream: this.#endStream };
    this.#streamId = 0;
    this.#parts = [];
    this.#bytes = 0;
    return block;
  }

  /** Nothing may come between the frames of a block. */
  mustBeWhole(): void {
    if (this.#streamId !== 0) throw new ConnectionError(errorCode.protocolError, 'a frame inside a header block');
  }

  overdue(nowMs: number): boolean {
    return this.#streamId !== 0 && nowMs - this.#sinceMs > this.#withinMs;
  }

  #add(fragment: Buffer): void {
    this.#parts.push(Buffer.from(fragment));
    this.#bytes += fragment.length;
    if (this.#bytes > this.#bytesMax || this.#parts.length > framesMax) {
      throw new ConnectionError(errorCode.enhanceYourCalm, 'a header block without end');
    }
  }
}

function fragmentOf(streamId: number, flags: number, payload: Buffer): Buffer {
  let from = 0;
  let padding = 0;
  if ((flags & flag.padded) !== 0) {
    padding = payload[0] ?? 0;
    from = 1;
  }
  if ((flags & flag.priority) !== 0) {
    if (payload.length >= from + 4 && (payload.readUInt32BE(from) & 0x7fffffff) === streamId) {
      throw new ConnectionError(errorCode.protocolError, 'a stream that depends on itself');
    }
    from += 5;
  }
  if (from + padding > payload.length) throw new ConnectionError(errorCode.protocolError, 'HEADERS is all padding');
  return payload.subarray(from, payload.length - padding);
}
