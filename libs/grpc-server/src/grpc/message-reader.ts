import { status } from '@grpc/grpc-js';
import { messagePrefixBytes } from '../http2/sender.ts';
import { CallError } from './call-error.ts';
import type { ByteBudget } from './byte-budget.ts';

export interface RawMessage {
  bytes: Buffer;
  compressed: boolean;
}

const firstBytes = 64 * 1024;
/** Who has sent one part in this many is believed to send the rest; memory that is not written to yet costs next to nothing. */
const trustedPart = 32;
const nothing = Buffer.alloc(0);

/** Puts the messages of one call together out of the parts in which they come. */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #budget: ByteBudget;
  // What is held of the prefix or, once the length is known, of the message.
  #held: Buffer = nothing;
  #size = 0;
  #length = -1;
  #compressed = false;
  #taken = 0;

  constructor(maxBytes: number, budget: ByteBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  /** True between two messages. */
  get empty(): boolean {
    return this.#size === 0 && this.#length === -1;
  }

  /** The messages that `chunk` completes. Throws CallError. */
  push(chunk: Buffer): RawMessage[] {
    const messages: RawMessage[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#length === -1) rest = this.#readPrefix(rest);
      if (this.#length === -1) break;
      rest = this.#readBody(rest, messages);
    }
    return messages;
  }

  /** Gives back what is held for a message that will never be complete. */
  close(): void {
    this.#budget.giveBack(this.#taken);
    this.#taken = 0;
    this.#held = nothing;
  }

  #readPrefix(chunk: Buffer): Buffer {
    const missing = messagePrefixBytes - this.#size;
    const prefix = this.#size === 0 ? chunk : Buffer.concat([this.#held, chunk.subarray(0, missing)]);
    if (prefix.length < messagePrefixBytes) {
      this.#held = Buffer.from(prefix);
      this.#size = prefix.length;
      return nothing;
    }
    const flags = prefix[0] ?? 0;
    if (flags > 1) throw new CallError(status.INTERNAL, `a message with the flags ${flags}: only 0 and 1 are known`);
    const length = prefix.readUInt32BE(1);
    if (length > this.#maxBytes) {
      throw new CallError(
        status.RESOURCE_EXHAUSTED,
        `the message has ${length} bytes; at most ${this.#maxBytes} are taken`,
      );
    }
    this.#compressed = flags === 1;
    this.#length = length;
    this.#held = nothing;
    this.#size = 0;
    return chunk.subarray(missing);
  }

  #readBody(chunk: Buffer, messages: RawMessage[]): Buffer {
    const missing = this.#length - this.#size;
    const part = chunk.subarray(0, missing);
    if (this.#size === 0 && part.length === this.#length) messages.push({ bytes: part, compressed: this.#compressed });
    else if (part.length < missing) {
      this.#hold(part);
      return nothing;
    } else {
      this.#hold(part);
      messages.push({ bytes: this.#held.subarray(0, this.#length), compressed: this.#compressed });
      this.close();
    }
    this.#length = -1;
    this.#size = 0;
    return chunk.subarray(part.length);
  }

  /**
   * Doubles until a part of the message is there, then makes room for all of it. So a length that is only claimed costs
   * little, and no large message is ever copied at once, which would hold up every other call: 50 MB by 8 ms.
   */
  #hold(part: Buffer): void {
    if (!this.#budget.take(part.length)) {
      throw new CallError(
        status.RESOURCE_EXHAUSTED,
        'the server holds too many unfinished messages; send this one again later',
      );
    }
    this.#taken += part.length;
    const needed = this.#size + part.length;
    if (this.#held.length < needed) {
      const doubled = Math.max(needed, this.#held.length * 2, firstBytes);
      const room = needed * trustedPart >= this.#length ? this.#length : Math.min(this.#length, doubled);
      const grown = Buffer.allocUnsafeSlow(room);
      this.#held.copy(grown, 0, 0, this.#size);
      this.#held = grown;
    }
    part.copy(this.#held, this.#size);
    this.#size = needed;
  }
}
