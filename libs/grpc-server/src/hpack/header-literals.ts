/** A field that enters nobody's table: what differs from call to call, or what is rare. */
export function literalField(name: string, value: string): Buffer {
  const nameBytes = Buffer.byteLength(name, 'latin1');
  const valueBytes = Buffer.byteLength(value, 'latin1');
  // A length takes at most 4 bytes here: HTTP/2 bounds a whole header list to less than 2^28.
  const out = Buffer.allocUnsafe(1 + 4 + nameBytes + 4 + valueBytes);
  out[0] = 0;
  let at = writeLength(out, 1, nameBytes);
  at += out.write(name, at, 'latin1');
  at = writeLength(out, at, valueBytes);
  at += out.write(value, at, 'latin1');
  return out.subarray(0, at);
}

/** The same as a field that the reader's table keeps. */
export function indexedField(name: string, value: string): Buffer {
  const field = literalField(name, value);
  field[0] = 0x40;
  return field;
}

function writeLength(out: Buffer, at: number, length: number): number {
  if (length < 127) {
    out[at] = length;
    return at + 1;
  }
  out[at] = 127;
  let next = at + 1;
  let rest = length - 127;
  for (; rest >= 128; rest >>>= 7) {
    out[next] = (rest & 0x7f) | 0x80;
    next += 1;
  }
  out[next] = rest;
  return next + 1;
}
