export const frameType = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
export const flag = { endStream: 1, ack: 1, endHeaders: 4 } as const;

export interface Frame {
  type: number;
  flags: number;
  id: number;
  /** Valid until the callback returns. */
  payload: Buffer;
}

const headBytes = 9;
/** What the peer may send at most as long as no larger frames were agreed on. */
const payloadBytesMax = 16_384;

/** Writes one frame into `bytes` at `at`; returns where the next one begins. */
export function frame(bytes: Buffer, at: number, type: number, flags: number, id: number, payload: Buffer): number {
  bytes.writeUIntBE(payload.length, at, 3);
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  bytes.writeUInt32BE(id, at + 5);
  payload.copy(bytes, at + headBytes);
  return at + headBytes + payload.length;
}

/** Cuts a connection's bytes into frames. Throws on a frame that is longer than allowed. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  #held: Buffer | undefined;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  push(bytes: Buffer): void {
    const input = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = undefined;
    let at = 0;
    while (input.length - at >= headBytes) {
      const length = input.readUIntBE(at, 3);
      if (length > payloadBytesMax) throw new Error(`an HTTP/2 frame of ${length} bytes`);
      const end = at + headBytes + length;
      if (end > input.length) break;
      this.#onFrame({
        type: input[at + 3] ?? 0,
        flags: input[at + 4] ?? 0,
        id: input.readUInt32BE(at + 5) & 0x7fff_ffff,
        payload: input.subarray(at + headBytes, end),
      });
      at = end;
    }
    if (at < input.length) this.#held = Buffer.from(input.subarray(at));
  }
}
