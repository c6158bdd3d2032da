import type { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** Gives each field to `read` until `end`; one that `read` does not take (returns false) is skipped. */
export function eachField(reader: BinaryReader, end: number, read: (field: number, wire: WireType) => boolean): void {
  while (reader.pos < end) {
    const [field, wire] = reader.tag();
    if (!read(field, wire)) reader.skip(wire, field);
  }
  if (reader.pos > end) throw new RangeError('a field reaches beyond its message');
}

/** End of the length-delimited message that begins here. */
export function messageEnd(reader: BinaryReader): number {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError('a message is longer than what contains it');
  return end;
}
