import { hexDigits, tokenCharacters, valueCharacters } from './characters.ts';
import { chunkExtensionsTooLarge, headTooLarge, malformed } from './problems.ts';

type State = SizeState | 'data' | 'data-end' | 'data-end-feed' | TrailerState | 'done';
type SizeState = 'size' | 'size-blank' | 'extension' | 'size-feed';
type TrailerState = 'trailer' | 'trailer-name' | 'trailer-value' | 'trailer-feed' | 'last-feed';

/** 4 GiB less one; the limit on a body is far below. */
const sizeDigitsMax = 8;
const [tab, lf, cr, space, colon, semicolon] = [0x09, 0x0a, 0x0d, 0x20, 0x3a, 0x3b];

/** Takes a chunked body apart, byte by byte where it is not data. Extensions and trailers are checked and dropped. */
export class ChunkDecoder {
  readonly #extraBytesMax: number;
  #state: State = 'size';
  /** Of the size while it is read, then of the data. */
  #left = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;

  constructor(extraBytesMax: number) {
    this.#extraBytesMax = extraBytesMax;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /**
   * Goes on at `at` and returns where it stopped: behind one piece of data, which was given to `data`, behind the body, or
   * at the end of `bytes`. Throws PlatformError.
   */
  take(bytes: Buffer, at: number, data: (piece: Buffer) => void): number {
    for (let position = at; position < bytes.length; position += 1) {
      if (this.#state === 'data') {
        const end = Math.min(bytes.length, position + this.#left);
        this.#left -= end - position;
        if (this.#left === 0) this.#state = 'data-end';
        data(bytes.subarray(position, end));
        return end;
      }
      this.#state = this.#next(this.#state, bytes[position] as number);
      if (this.#state === 'done') return position + 1;
    }
    return bytes.length;
  }

  #next(state: State, byte: number): State {
    switch (state) {
      case 'size':
      case 'size-blank':
      case 'extension':
      case 'size-feed':
        return this.#size(state, byte);
      case 'data-end':
        if (byte === cr) return 'data-end-feed';
        throw malformed('a chunk is not as long as it says');
      case 'data-end-feed':
        if (byte !== lf) throw malformed('a chunk is not as long as it says');
        this.#digits = 0;
        return 'size';
      default:
        return this.#trailer(state as TrailerState, byte);
    }
  }

  #size(state: SizeState, byte: number): State {
    if (state === 'size-feed') {
      if (byte !== lf) throw malformed('the line of a chunk size does not end');
      return this.#left === 0 ? 'trailer' : 'data';
    }
    const digit = hexDigits[byte] as number;
    if (state === 'size' && digit < 16) {
      this.#digits += 1;
      if (this.#digits > sizeDigitsMax) throw malformed('a chunk size is too large');
      this.#left = this.#left * 16 + digit;
      return 'size';
    }
    if (state === 'size' && this.#digits === 0) throw malformed('a chunk size is not a number');
    if (byte === cr && state !== 'size-blank') return 'size-feed';
    this.#extensionBytes += 1;
    if (this.#extensionBytes > this.#extraBytesMax) throw chunkExtensionsTooLarge();
    if (state === 'extension') {
      if (valueCharacters[byte] === 1) return 'extension';
      throw malformed('a chunk extension holds a control character');
    }
    if (byte === semicolon) return 'extension';
    if (byte === space || byte === tab) return 'size-blank';
    throw malformed('a chunk size is not a number');
  }

  #trailer(state: TrailerState, byte: number): State {
    this.#trailerBytes += 1;
    if (this.#trailerBytes > this.#extraBytesMax) throw headTooLarge(this.#extraBytesMax);
    switch (state) {
      case 'trailer':
        if (byte === cr) return 'last-feed';
        if (tokenCharacters[byte] === 1) return 'trailer-name';
        throw malformed('a trailer has no name');
      case 'trailer-name':
        if (tokenCharacters[byte] === 1) return 'trailer-name';
        if (byte === colon) return 'trailer-value';
        throw malformed('a trailer has no name');
      case 'trailer-value':
        if (byte === cr) return 'trailer-feed';
        if (valueCharacters[byte] === 1) return 'trailer-value';
        throw malformed('a trailer holds a control character');
      case 'trailer-feed':
      case 'last-feed':
        if (byte !== lf) throw malformed('a trailer holds a control character');
        return state === 'last-feed' ? 'done' : 'trailer';
    }
  }
}
