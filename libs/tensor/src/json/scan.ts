import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  isBlank,
  openBrace,
  openBracket,
  quote,
  skipBlanks,
  zero,
} from './bytes.ts';
import { notForRows } from './number-rows.ts';
import { RowsReader } from './rows-reader.ts';

/** Members whose arrays are tensors in every form that is taken. */
const rowsMembers: ReadonlySet<string> = new Set(['data', 'input_data']);
/** Deeper objects and arrays outside of data mean nothing in any form. */
const depthMax = 32;

// Not the decoder of whole texts: inside one, a byte order mark is a character as any other.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Gives `read` the object that a JSON text is, as JSON.parse makes it, but with NumberRows for the arrays of numbers below
 * `data` and `input_data`. Undefined when anything is unusual or wrong, in the text or for `read`: JSON.parse and plain arrays
 * are for that, and say what it is.
 */
export function readWithRows<T>(bytes: Uint8Array, read: (value: unknown) => T): { value: T } | undefined {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, lengthWithoutBlanks(bytes));
  if (source[source.length - 1] !== closeBrace) return undefined;
  const rows = new RowsReader(source);
  try {
    return { value: read(new Scanner(source, rows).document()) };
  } catch {
    return undefined;
  } finally {
    rows.release();
  }
}

function lengthWithoutBlanks(bytes: Uint8Array): number {
  let length = bytes.byteLength;
  while (length > 0 && isBlank(bytes[length - 1] as number)) length -= 1;
  return length;
}

class Scanner {
  readonly #source: Buffer;
  readonly #rows: RowsReader;
  #at = 0;

  constructor(source: Buffer, rows: RowsReader) {
    this.#source = source;
    this.#rows = rows;
  }

  document(): unknown {
    this.#at = skipBlanks(this.#source, 0);
    if (this.#source[this.#at] !== openBrace) throw notForRows;
    const value = this.#object(false, 0);
    if (this.#at !== this.#source.length) throw notForRows;
    return value;
  }

  /** `inRows`: below a member whose arrays are tensors. */
  #value(inRows: boolean, depth: number): unknown {
    if (depth > depthMax) throw notForRows;
    switch (this.#source[this.#at]) {
      case openBrace:
        return this.#object(inRows, depth);
      case openBracket:
        return inRows && this.#beginsWithNumber() ? this.#numbers() : this.#array(depth);
      case quote:
        return this.#string();
      default:
        return this.#plain();
    }
  }

  #object(inRows: boolean, depth: number): Record<string, unknown> {
    const source = this.#source;
    const object: Record<string, unknown> = {};
    let at = skipBlanks(source, this.#at + 1);
    while (source[at] !== closeBrace) {
      if (source[at] !== quote) throw notForRows;
      this.#at = at;
      const name = this.#string();
      // An assignment would set something else than a member of that name.
      if (name === '__proto__') throw notForRows;
      at = skipBlanks(source, this.#at);
      if (source[at] !== colon) throw notForRows;
      this.#at = skipBlanks(source, at + 1);
      object[name] = this.#value(inRows || rowsMembers.has(name), depth + 1);
      at = this.#afterEntry(closeBrace);
    }
    this.#at = at + 1;
    return object;
  }

  #array(depth: number): unknown[] {
    const source = this.#source;
    const array: unknown[] = [];
    let at = skipBlanks(source, this.#at + 1);
    while (source[at] !== closeBracket) {
      this.#at = at;
      array.push(this.#value(false, depth + 1));
      at = this.#afterEntry(closeBracket);
    }
    this.#at = at + 1;
    return array;
  }

  /** Where the next entry begins, or `close` is. */
  #afterEntry(close: number): number {
    const source = this.#source;
    const at = skipBlanks(source, this.#at);
    if (source[at] === close) return at;
    if (source[at] !== comma) throw notForRows;
    const next = skipBlanks(source, at + 1);
    if (source[next] === close) throw notForRows;
    return next;
  }

  #beginsWithNumber(): boolean {
    const source = this.#source;
    let at = this.#at;
    while (source[at] === openBracket) at = skipBlanks(source, at + 1);
    return source[at] !== openBrace;
  }

  #numbers(): unknown {
    const rows = this.#rows.read(this.#at);
    this.#at = this.#rows.at;
    return rows;
  }

  #string(): string {
    const source = this.#source;
    const from = this.#at + 1;
    let at = from;
    let byte = source[at] as number;
    while (byte !== quote && byte !== backslash && byte >= 0x20 && byte < 0x80) byte = source[++at] as number;
    if (byte === quote) {
      this.#at = at + 1;
      return source.toString('latin1', from, at);
    }
    for (; byte !== quote; byte = source[at] as number) {
      at += byte === backslash ? 2 : 1;
      if (at >= source.length) throw notForRows;
    }
    this.#at = at + 1;
    return JSON.parse(utf8.decode(source.subarray(from - 1, at + 1))) as string;
  }

  /** A number, true, false or null. */
  #plain(): unknown {
    const source = this.#source;
    const from = this.#at;
    let at = from;
    for (let byte = source[at] as number; isPlain(byte); byte = source[at] as number) at += 1;
    this.#at = at;
    // Shapes are made of these.
    if (at === from + 1) {
      const digit = (source[from] as number) - zero;
      if (digit >>> 0 <= 9) return digit;
    }
    return JSON.parse(source.toString('latin1', from, at));
  }
}

/** Letters, digits, sign and point. */
function isPlain(byte: number): boolean {
  return (
    (byte >= 0x2d && byte <= 0x39 && byte !== 0x2f) || byte === 0x2b || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a)
  );
}
