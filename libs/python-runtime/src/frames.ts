/**
 * Frames between scorer and worker; the other end is python/mooring_worker/channel.py. A head of 32 bytes, little endian: kind u8,
 * flags u8, status u16, id u32, bytes of meta u32, bytes of body u32, then of an answer the microseconds of preprocessing, run and
 * postprocessing and the KiB that the worker holds, u32 each. Then meta (JSON; most calls and answers have none), then the body.
 */

export const headBytes = 32;
const metaBytesMax = 16 * 2 ** 20;

export const frameKind = { control: 1, call: 2, cancel: 3, reply: 4, dropped: 5 } as const;
/** Flag of a call. */
export const postFlag = 1;

/** One frame from a worker. `meta` and `body` are views of what was read. */
export interface Frame {
  kind: number;
  status: number;
  id: number;
  preprocessUs: number;
  computeUs: number;
  postprocessUs: number;
  residentKib: number;
  meta: Buffer;
  body: Buffer;
}

/** Writes the head of a frame to a worker at `at`. */
export function writeHead(
  to: Buffer,
  at: number,
  kind: number,
  flags: number,
  id: number,
  metaBytes: number,
  bodyBytes: number,
): void {
  to.fill(0, at, at + headBytes);
  to[at] = kind;
  to[at + 1] = flags;
  to.writeUInt32LE(id, at + 4);
  to.writeUInt32LE(metaBytes, at + 8);
  to.writeUInt32LE(bodyBytes, at + 12);
}

/**
 * Cuts a byte stream into frames. Throws when the stream cannot be frames, or when a body is larger than `bodyBytesMax`:
 * the worker does not hold to the protocol then.
 */
export function frameDecoder(bodyBytesMax: number, onFrame: (frame: Frame) => void): (bytes: Buffer) => void {
  let parts: Buffer[] = [];
  let held = 0;
  let needed = headBytes;
  return (bytes) => {
    parts.push(bytes);
    held += bytes.length;
    if (held < needed) return;
    // Joined only once enough has come: a large body would otherwise be copied with every piece of it.
    const all = whole(parts, held);
    let at = 0;
    needed = headBytes;
    while (held - at >= headBytes) {
      const end = frameEnd(all, at, bodyBytesMax);
      if (end > held) {
        needed = end - at;
        break;
      }
      onFrame(frameAt(all, at, end));
      at = end;
    }
    held -= at;
    parts = held > 0 ? [all.subarray(at)] : [];
  };
}

function frameEnd(bytes: Buffer, at: number, bodyBytesMax: number): number {
  const kind = bytes[at] as number;
  const metaBytes = bytes.readUInt32LE(at + 8);
  const bodyBytes = bytes.readUInt32LE(at + 12);
  if (kind < frameKind.control || kind > frameKind.dropped || metaBytes > metaBytesMax || bodyBytes > bodyBytesMax)
    throw new RangeError('the worker sent what is not a frame');
  return at + headBytes + metaBytes + bodyBytes;
}

function frameAt(bytes: Buffer, at: number, end: number): Frame {
  const bodyFrom = at + headBytes + bytes.readUInt32LE(at + 8);
  return {
    kind: bytes[at] as number,
    status: bytes.readUInt16LE(at + 2),
    id: bytes.readUInt32LE(at + 4),
    preprocessUs: bytes.readUInt32LE(at + 16),
    computeUs: bytes.readUInt32LE(at + 20),
    postprocessUs: bytes.readUInt32LE(at + 24),
    residentKib: bytes.readUInt32LE(at + 28),
    meta: bytes.subarray(at + headBytes, bodyFrom),
    body: bytes.subarray(bodyFrom, end),
  };
}

function whole(parts: readonly Buffer[], bytes: number): Buffer {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts, bytes);
}
