/**
 * The few pieces of protobuf's wire format that the scoring frames need, written straight into a buffer that is known to
 * be large enough. Positions are returned, so that nothing is allocated for a field.
 */

/** Bytes that a padded length prefix takes; protobuf allows a varint to be longer than it must be. */
export const paddedLengthBytes = 5;
/** Above this many characters, Node's own UTF-8 writer beats a loop. */
const shortText = 24;

export function writeVarint(to: Buffer, at: number, value: number): number {
  let rest = value >>> 0;
  let position = at;
  while (rest > 0x7f) {
    to[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  to[position++] = rest;
  return position;
}

/** A uint32 (or enum) field; left out when 0, as proto3 does. Fields up to 31 have a tag of at most two bytes. */
export function writeNumber(to: Buffer, at: number, field: number, value: number): number {
  if (value === 0) return at;
  return writeVarint(to, writeVarint(to, at, field << 3), value);
}

/** A string field; left out when empty. Takes at most `textBound(text)` bytes. */
export function writeText(to: Buffer, at: number, field: number, text: string): number {
  if (text === '') return at;
  const start = writeVarint(to, at, (field << 3) | 2);
  if (text.length <= shortText) {
    const end = writeShortAscii(to, start + 1, text);
    if (end > 0) {
      to[start] = text.length;
      return end;
    }
  }
  const written = to.write(text, start + paddedLengthBytes, 'utf8');
  writePaddedLength(to, start, written);
  return start + paddedLengthBytes + written;
}

/** Writes `text` when it is plain ASCII and says where it ends; otherwise -1. */
function writeShortAscii(to: Buffer, at: number, text: string): number {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return -1;
    to[at + index] = code;
  }
  return at + text.length;
}

/** Fills in the length of something that was written after its prefix. */
export function writePaddedLength(to: Buffer, at: number, length: number): void {
  to[at] = (length & 0x7f) | 0x80;
  to[at + 1] = ((length >>> 7) & 0x7f) | 0x80;
  to[at + 2] = ((length >>> 14) & 0x7f) | 0x80;
  to[at + 3] = ((length >>> 21) & 0x7f) | 0x80;
  to[at + 4] = (length >>> 28) & 0x0f;
}

/** A bytes field; left out when empty. The one copy of a body that encoding makes. */
export function writeBytes(to: Buffer, at: number, field: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return at;
  const start = writeVarint(to, writeVarint(to, at, (field << 3) | 2), bytes.length);
  to.set(bytes, start);
  return start + bytes.length;
}

/** Room that `writeText` may need: tag, length and at most three bytes for a UTF-16 unit. */
export function textBound(text: string): number {
  return 7 + 3 * text.length;
}
