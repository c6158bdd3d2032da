import type { ByteReader } from './byte-reader.ts';

const lineEnd = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;
const comma = 0x2c;
const blank = 0x20;
const tab = 0x09;

/** Read at once. */
const chunkBytes = 256 * 1024;
/** A row that is longer is no row; nothing of it is held. */
export const rowBytesMax = 16 * 2 ** 20;
/** A quote that does not end within this many bytes of its row's begin is none: the row ends with its line. */
const quotedBytesMax = 2 ** 20;

/**
 * Splits bytes into the rows of a text file: lines, or of a CSV those that quotes may hold together; lines without anything are no
 * rows of a CSV. What is a row depends on the bytes from its begin alone, so that whoever cuts a file and whoever reads a cut see the
 * same rows.
 */
export class RowLines {
  /** The row stands in `buffer` from `start` up to `end`, without its line end. Good until the next call. */
  buffer = Buffer.allocUnsafeSlow(2 * chunkBytes);
  start = 0;
  end = 0;
  /** The row was longer than rowBytesMax, and is not there. */
  tooLong = false;
  /** Where it begins among all bytes, and where the next one does. */
  startsAt = 0;
  endsAt = 0;
  readonly #reader: ByteReader;
  readonly #isCsv: boolean;
  /** Of `buffer`: what is filled, and what is no part of a row yet. */
  #filled = 0;
  #at = 0;
  /** Up to here no line end was found. */
  #searched = 0;
  /** The next quote from `#at` on; `#filled` where there is none. */
  #quote = -1;
  /** Place of buffer[0] among all bytes. */
  #base: number;
  #over = false;
  /** Where the row began whose rest is skipped. */
  #skippedFrom = -1;

  constructor(reader: ByteReader, isCsv: boolean, startsAt = 0) {
    this.#reader = reader;
    this.#isCsv = isCsv;
    this.#base = startsAt;
  }

  /** Whether there is a row among the bytes that were read. Reads none. */
  next(): boolean {
    while (this.#find()) {
      if (!this.#isCsv || this.tooLong || !this.#isEmpty()) return true;
    }
    return false;
  }

  /** Reads more; false at the end, when no more rows will come. */
  async more(): Promise<boolean> {
    if (this.#over) return false;
    this.#makeRoom();
    const bytes = await this.#reader.read(this.buffer.subarray(this.#filled, this.#filled + chunkBytes));
    if (bytes === 0) {
      this.#over = true;
      // Behind a last row without a line end lie older bytes, which may go on as it ends.
      this.buffer[this.#filled] = lineEnd;
    }
    if (this.#quote === this.#filled) this.#quote = -1;
    this.#filled += bytes;
    return true;
  }

  /** What was read and is no row yet. */
  begin(): Buffer {
    return this.buffer.subarray(this.#at, this.#filled);
  }

  /** Leaves out what is no part of any row. */
  skip(bytes: number): void {
    this.#at += bytes;
  }

  /** Goes to where a row begins; to be called before any other. */
  async skipTo(place: number): Promise<void> {
    while (this.#base + this.#filled < place) {
      this.#at = this.#filled;
      if (!(await this.more())) return;
    }
    this.#at = place - this.#base;
  }

  #isEmpty(): boolean {
    return this.end === this.start || (this.end === this.start + 1 && this.buffer[this.start] === carriageReturn);
  }

  #find(): boolean {
    const from = this.#at;
    let end = this.#lineEndFrom(Math.max(from, this.#searched));
    if (this.#isCsv && this.#skippedFrom < 0) {
      if (this.#quote < from) this.#quote = this.#indexOf(quote, from, this.#filled);
      if (this.#quote < (end < 0 ? this.#filled : end)) end = this.#endWithQuotes(from);
    }
    if (end >= 0) return this.#found(end, end + 1);
    if (this.#over) return (from < this.#filled || this.#skippedFrom >= 0) && this.#found(this.#filled, this.#filled);
    this.#searched = this.#quote < this.#filled && this.#isCsv ? from : this.#filled;
    if (this.#skippedFrom >= 0 || this.#filled - from > rowBytesMax) {
      if (this.#skippedFrom < 0) this.#skippedFrom = this.#base + from;
      this.#at = this.#filled;
    }
    return false;
  }

  #found(end: number, next: number): true {
    this.tooLong = this.#skippedFrom >= 0 || end - this.#at > rowBytesMax;
    this.startsAt = this.#skippedFrom >= 0 ? this.#skippedFrom : this.#base + this.#at;
    this.#skippedFrom = -1;
    this.start = this.#at;
    this.end = end;
    this.#at = next;
    this.#searched = next;
    this.endsAt = this.#base + next;
    return true;
  }

  /** The line end of a row with quotes; -1 where it is not there yet. */
  #endWithQuotes(from: number): number {
    const { buffer } = this;
    const filled = this.#filled;
    let fieldBegins = true;
    for (let at = from; at < filled; at++) {
      const byte = buffer[at];
      if (byte === lineEnd) return at;
      if (byte === quote && fieldBegins) {
        const closing = this.#closingQuote(at + 1, Math.min(filled, from + quotedBytesMax));
        if (closing < 0) {
          const mayCome = !this.#over && filled - from < quotedBytesMax;
          return mayCome ? -1 : this.#lineEndFrom(from);
        }
        at = closing;
      }
      fieldBegins = byte === comma || (fieldBegins && (byte === blank || byte === tab));
    }
    return -1;
  }

  #closingQuote(from: number, to: number): number {
    for (let at = this.#indexOf(quote, from, to); at < to; at = this.#indexOf(quote, at + 2, to)) {
      // The second of a pair may be out of sight.
      if (at + 1 === to && !(this.#over && to === this.#filled)) return -1;
      if (at + 1 === to || this.buffer[at + 1] !== quote) return at;
    }
    return -1;
  }

  #lineEndFrom(from: number): number {
    const end = this.buffer.indexOf(lineEnd, from);
    return end < this.#filled ? end : -1;
  }

  /** `to` where there is none. */
  #indexOf(byte: number, from: number, to: number): number {
    const found = from < to ? this.buffer.indexOf(byte, from) : -1;
    // Behind what is filled lie older bytes.
    return found < 0 || found > to ? to : found;
  }

  /** Moves what is left to the front, where there is too little room behind it; what is skipped goes. */
  #makeRoom(): void {
    const left = this.#filled - this.#at;
    if (this.buffer.length - this.#filled >= chunkBytes) return;
    const target =
      left + chunkBytes > this.buffer.length ? Buffer.allocUnsafeSlow(2 * left + 2 * chunkBytes) : this.buffer;
    this.buffer.copy(target, 0, this.#at, this.#filled);
    this.buffer = target;
    this.#base += this.#at;
    this.#searched = Math.max(0, this.#searched - this.#at);
    this.#quote = this.#quote < this.#at ? -1 : this.#quote - this.#at;
    this.#filled = left;
    this.#at = 0;
  }
}
