/** Reads protobuf's wire format. Every read is checked against `end`; a frame that lies about a length is a RangeError. */
export class WireReader {
  readonly buffer: Buffer;
  position: number;
  end: number;

  constructor(buffer: Buffer, position = 0, end = buffer.length) {
    this.buffer = buffer;
    this.position = position;
    this.end = end;
  }

  more(): boolean {
    return this.position < this.end;
  }

  /** A varint, cut to 32 bits. */
  varint(): number {
    let result = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.position >= this.end) throw new RangeError('a number runs past the end of its frame');
      const byte = this.buffer[this.position++] as number;
      if (shift < 32) result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result >>> 0;
    }
    throw new RangeError('a number is longer than ten bytes');
  }

  /** End of a length-delimited field whose length comes next. */
  #fieldEnd(): number {
    const length = this.varint();
    const end = this.position + length;
    if (end > this.end) throw new RangeError(`a field of ${length} bytes runs past the end of its frame`);
    return end;
  }

  text(): string {
    const end = this.#fieldEnd();
    const text = this.buffer.toString('utf8', this.position, end);
    this.position = end;
    return text;
  }

  /** A view of the received memory, not a copy. */
  bytes(): Buffer {
    const end = this.#fieldEnd();
    const bytes = this.buffer.subarray(this.position, end);
    this.position = end;
    return bytes;
  }

  /** Enters a nested message; give the result to `leave`. */
  enter(): number {
    const outerEnd = this.end;
    this.end = this.#fieldEnd();
    return outerEnd;
  }

  leave(outerEnd: number): void {
    this.end = outerEnd;
  }

  /** Passes over a field that this version does not know. */
  skip(tag: number): void {
    const wireType = tag & 7;
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.position += 8;
    else if (wireType === 2) this.position = this.#fieldEnd();
    else if (wireType === 5) this.position += 4;
    else throw new RangeError(`unknown wire type ${wireType}`);
    if (this.position > this.end) throw new RangeError('a field runs past the end of its frame');
  }
}
