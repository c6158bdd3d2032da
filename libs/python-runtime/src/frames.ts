/** Frames between scorer and worker: `<u32 meta length><u32 body length><meta: JSON><body>`, little endian. */

const headBytes = 8;
const metaBytesMax = 16 * 2 ** 20;

export interface Frame {
  meta: Record<string, unknown>;
  body: Buffer;
}

/** Meta and head as one buffer; the body follows as it is, so that it is not copied. */
export function encodeHead(meta: object, bodyBytes: number): Buffer {
  const text = Buffer.from(JSON.stringify(meta));
  const head = Buffer.allocUnsafe(headBytes + text.length);
  head.writeUInt32LE(text.length, 0);
  head.writeUInt32LE(bodyBytes, 4);
  text.copy(head, headBytes);
  return head;
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
    while (held >= needed) {
      // Joined only once enough has come: a large body would otherwise be copied with every piece of it.
      const all = whole(parts, held);
      const metaBytes = all.readUInt32LE(0);
      const bodyBytes = all.readUInt32LE(4);
      if (metaBytes > metaBytesMax || bodyBytes > bodyBytesMax)
        throw new RangeError('the worker sent what is not a frame');
      const end = headBytes + metaBytes + bodyBytes;
      if (held < end) {
        parts = [all];
        needed = end;
        return;
      }
      const bodyFrom = headBytes + metaBytes;
      const meta = JSON.parse(all.toString('utf8', headBytes, bodyFrom)) as Record<string, unknown>;
      onFrame({ meta, body: all.subarray(bodyFrom, end) });
      parts = held > end ? [all.subarray(end)] : [];
      held -= end;
      needed = headBytes;
    }
  };
}

function whole(parts: readonly Buffer[], bytes: number): Buffer {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts, bytes);
}
