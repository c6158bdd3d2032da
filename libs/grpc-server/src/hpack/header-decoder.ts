import { ConnectionError, errorCode } from '../http2/protocol.ts';
import { decodeHuffman } from './huffman.ts';
import { staticCount, staticNames, staticValues } from './static-table.ts';

/** Size of the table that a peer may use: the default of HTTP/2, which nobody has to announce. */
export const headerTableBytes = 4_096;
/** RFC 7541, 4.1: what an entry costs beside its text. */
export const entryOverheadBytes = 32;

export interface HeaderList {
  /** name, value, name, value, ... in the order of arrival. */
  fields: string[];
  /** More than the limit: `fields` holds what came before. The table is right all the same. */
  tooLarge: boolean;
}

/** One connection's HPACK decoder. Every block must go through it, also one that nobody wants, or the next one is garbage. */
export class HeaderDecoder {
  // Newest last.
  readonly #names: string[] = [];
  readonly #values: string[] = [];
  #tableBytes = 0;
  #tableMax = headerTableBytes;
  #at = 0;

  /** `listMax`: bytes of the decoded list, counted as HTTP/2 counts them. Throws ConnectionError. */
  decode(block: Buffer, listMax: number): HeaderList {
    const fields: string[] = [];
    let listBytes = 0;
    let updates = 0;
    this.#at = 0;
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0;
      let name: string;
      let value: string;
      if (first >= 0x80) {
        const index = this.#integer(block, 7);
        name = this.#nameAt(index);
        value = index <= staticCount ? (staticValues[index] ?? '') : this.#dynamic(this.#values, index);
      } else if (first >= 0x20 && first < 0x40) {
        updates += 1;
        if (fields.length > 0 || updates > 2) throw bad('a table size update after the first field');
        this.#resize(this.#integer(block, 5));
        continue;
      } else {
        const indexed = first >= 0x40;
        const index = this.#integer(block, indexed ? 6 : 4);
        name = index === 0 ? this.#string(block) : this.#nameAt(index);
        value = this.#string(block);
        if (indexed) this.#insert(name, value);
      }
      listBytes += name.length + value.length + entryOverheadBytes;
      if (listBytes <= listMax) fields.push(name, value);
    }
    return { fields, tooLarge: listBytes > listMax };
  }

  #nameAt(index: number): string {
    if (index === 0) throw bad('index 0');
    return index <= staticCount ? (staticNames[index] ?? '') : this.#dynamic(this.#names, index);
  }

  #dynamic(column: readonly string[], index: number): string {
    const text = column[column.length - (index - staticCount)];
    if (text === undefined) throw bad(`index ${index} is beyond the table`);
    return text;
  }

  #insert(name: string, value: string): void {
    const bytes = name.length + value.length + entryOverheadBytes;
    this.#evict(this.#tableMax - bytes);
    // An entry larger than the whole table empties it; that is no error.
    if (bytes > this.#tableMax) return;
    this.#names.push(name);
    this.#values.push(value);
    this.#tableBytes += bytes;
  }

  #resize(max: number): void {
    if (max > headerTableBytes) throw bad(`a table of ${max} bytes is more than ${headerTableBytes}`);
    this.#tableMax = max;
    this.#evict(max);
  }

  #evict(max: number): void {
    while (this.#tableBytes > max && this.#names.length > 0) {
      const name = this.#names.shift() ?? '';
      const value = this.#values.shift() ?? '';
      this.#tableBytes -= name.length + value.length + entryOverheadBytes;
    }
  }

  #integer(block: Buffer, prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (block[this.#at] ?? 0) & mask;
    this.#at += 1;
    if (value < mask) return value;
    for (let shift = 0; ; shift += 7) {
      const byte = block[this.#at];
      // 4 bytes more are enough for any length or index that a frame can hold.
      if (byte === undefined || shift > 21) throw bad('an integer that does not end');
      this.#at += 1;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  #string(block: Buffer): string {
    const huffman = (block[this.#at] ?? 0) >= 0x80;
    if (this.#at >= block.length) throw bad('a string that is not there');
    const length = this.#integer(block, 7);
    const from = this.#at;
    const to = from + length;
    if (to > block.length) throw bad('a string longer than its block');
    this.#at = to;
    if (!huffman) return block.toString('latin1', from, to);
    const text = decodeHuffman(block, from, to);
    if (text === undefined) throw bad('a string that is no Huffman code');
    return text;
  }
}

function bad(what: string): ConnectionError {
  return new ConnectionError(errorCode.compressionError, `header block: ${what}`);
}
