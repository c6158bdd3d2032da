import { rankMax } from '../shape.ts';
import { bigE, closeBracket, comma, minus, openBracket, plus, point, skipBlanks, smallE, zero } from './bytes.ts';
import { exactPowerMax, exactWholeEnd, leadDigitsMax, longQuotient, scaled, tailDigitsMax } from './decimal.ts';
import { notForRows, NumberRows, type NumberKinds } from './number-rows.ts';

// Bytes less '0', in this module: what is imported is looked up each time.
const digitZero = zero;
const pointFromZero = point - zero;
const commaFromZero = comma - zero;
const minusFromZero = minus - zero;
const closeFromZero = closeBracket - zero;
const smallEFromZero = smallE - zero;
const bigEFromZero = bigE - zero;
const blankFromZero = 0x20 - zero;
const powerMax = exactPowerMax;
const wholeEnd = exactWholeEnd;
const leadMax = leadDigitsMax;
const tailMax = tailDigitsMax;

const capacityMin = 4_096;
/** Memory for numbers that is kept from one body to the next: 2 MiB. */
const keptCapacityMax = 2 ** 18;
let kept: Float64Array | undefined;

/** What is no number and yet may stand among numbers. */
const words: readonly { text: Buffer; value: number; kind: keyof NumberKinds }[] = [
  { text: Buffer.from('true'), value: 1, kind: 'booleans' },
  { text: Buffer.from('false'), value: 0, kind: 'booleans' },
  { text: Buffer.from('"NaN"'), value: Number.NaN, kind: 'texts' },
  { text: Buffer.from('"Infinity"'), value: Number.POSITIVE_INFINITY, kind: 'texts' },
  { text: Buffer.from('"-Infinity"'), value: Number.NEGATIVE_INFINITY, kind: 'texts' },
];

/**
 * Reads arrays of numbers out of the bytes of a JSON text, without a value for each number. Throws NotForRows. The text must
 * end in '}': then no run of digits or blanks can reach its end, which spares a comparison for each byte.
 */
export class RowsReader {
  /** Behind what was read last. */
  at = 0;
  readonly #source: Buffer;
  #memory: Float64Array;
  #count = 0;
  #kinds: NumberKinds = { booleans: false, texts: false };
  /** Entries of an array at each depth, as the first one there has them. */
  #lengths: number[] = [];
  #numbersDepth = -1;
  #ragged = false;

  constructor(source: Buffer) {
    this.#source = source;
    this.#memory = kept ?? new Float64Array(capacityMin);
    kept = undefined;
  }

  /** The memory may be used for another text: nobody looks at its NumberRows any more. */
  release(): void {
    if (this.#memory.length <= keptCapacityMax) kept = this.#memory;
  }

  /** The array that begins at `from`, with its bracket. */
  read(from: number): NumberRows {
    const start = this.#count;
    this.#kinds = { booleans: false, texts: false };
    this.#lengths = [];
    this.#numbersDepth = -1;
    this.#ragged = false;
    this.at = this.#array(from + 1, 0);
    const values = this.#memory.subarray(start, this.#count);
    return new NumberRows(values, this.#ragged ? undefined : this.#lengths, this.#kinds);
  }

  /** What follows an opening bracket; returns where it ends. */
  #array(from: number, depth: number): number {
    if (depth === rankMax) throw notForRows;
    const source = this.#source;
    let at = skipBlanks(source, from);
    if (source[at] !== openBracket) return this.#numbers(at, depth);
    let length = 0;
    for (;;) {
      at = skipBlanks(source, this.#array(at + 1, depth + 1));
      length += 1;
      const next = source[at];
      if (next === closeBracket) break;
      if (next !== comma) throw notForRows;
      at = skipBlanks(source, at + 1);
      if (source[at] !== openBracket) throw notForRows;
    }
    this.#note(length, depth);
    return at + 1;
  }

  #note(length: number, depth: number): void {
    this.#lengths[depth] ??= length;
    if (this.#lengths[depth] !== length) this.#ragged = true;
  }

  /**
   * The numbers from `from` up to the closing bracket; returns where that ends. One long loop: a call for each number, or a
   * state that is kept in fields, costs more than the numbers. `digit` is always the byte at `at`, less '0'.
   */
  #numbers(from: number, depth: number): number {
    const source = this.#source;
    let memory = this.#memory;
    let room = memory.length;
    const start = this.#count;
    let count = start;
    let at = from;
    let digit = (source[at] as number) - digitZero;
    while (digit !== closeFromZero) {
      if (count === room) {
        memory = this.#larger();
        room = memory.length;
      }
      const negative = digit === minusFromZero;
      if (negative) digit = (source[++at] as number) - digitZero;
      const begin = at;
      if (digit >>> 0 > 9) {
        if (negative) throw notForRows;
        memory[count++] = this.#word(at);
        at = this.at;
        digit = (source[at] as number) - digitZero;
      } else {
        let whole = digit;
        let tail = 0;
        let tailDigits = 0;
        let power = 0;
        digit = (source[++at] as number) - digitZero;
        if (whole !== 0) {
          while (digit >>> 0 <= 9) {
            whole = whole * 10 + digit;
            digit = (source[++at] as number) - digitZero;
          }
        }
        if (digit === pointFromZero) {
          const behindPoint = at + 1;
          const leadEnd = begin + leadMax + 1;
          digit = (source[++at] as number) - digitZero;
          if (digit >>> 0 > 9) throw notForRows;
          do {
            whole = whole * 10 + digit;
            digit = (source[++at] as number) - digitZero;
          } while (digit >>> 0 <= 9 && at < leadEnd);
          const leadTo = at;
          while (digit >>> 0 <= 9) {
            tail = (tail * 10 + digit) | 0;
            digit = (source[++at] as number) - digitZero;
          }
          tailDigits = at - leadTo;
          power = behindPoint - at;
        }
        if (digit === smallEFromZero || digit === bigEFromZero) {
          power += this.#exponent(at + 1);
          at = this.at;
          digit = (source[at] as number) - digitZero;
        }
        const exact = whole < wholeEnd && power >= -powerMax && power <= powerMax;
        let value = whole;
        if (exact && tailDigits === 0) {
          if (power !== 0) value = scaled(whole, power);
        } else {
          value = Number.NaN;
          if (exact && tailDigits <= tailMax && power <= 0) value = longQuotient(whole, tail, tailDigits, -power);
          if (Number.isNaN(value)) value = this.#text(begin, at);
        }
        memory[count++] = negative ? -value : value;
      }
      if (digit !== commaFromZero) {
        at = skipBlanks(source, at);
        digit = (source[at] as number) - digitZero;
        if (digit === closeFromZero) break;
        if (digit !== commaFromZero) throw notForRows;
      }
      digit = (source[++at] as number) - digitZero;
      if (digit <= blankFromZero) {
        at = skipBlanks(source, at);
        digit = (source[at] as number) - digitZero;
      }
      if (digit === closeFromZero) throw notForRows;
    }
    this.#count = count;
    this.#note(count - start, depth);
    if (count > start) {
      if (this.#numbersDepth < 0) this.#numbersDepth = depth;
      if (this.#numbersDepth !== depth) this.#ragged = true;
    }
    return at + 1;
  }

  #larger(): Float64Array {
    const larger = new Float64Array(this.#memory.length * 2);
    larger.set(this.#memory);
    return (this.#memory = larger);
  }

  #word(at: number): number {
    const source = this.#source;
    for (const { text, value, kind } of words) {
      if (source.compare(text, 0, text.length, at, Math.min(source.length, at + text.length)) !== 0) continue;
      this.#kinds[kind] = true;
      this.at = at + text.length;
      return value;
    }
    throw notForRows;
  }

  #exponent(from: number): number {
    const source = this.#source;
    const sign = source[from];
    let at = sign === plus || sign === minus ? from + 1 : from;
    let digit = (source[at] as number) - zero;
    if (digit >>> 0 > 9) throw notForRows;
    let exponent = 0;
    for (; digit >>> 0 <= 9; digit = (source[++at] as number) - zero) exponent = exponent * 10 + digit;
    this.at = at;
    return sign === minus ? -exponent : exponent;
  }

  /** A number that was found to be written as JSON wants it. */
  #text(from: number, to: number): number {
    const value = Number(this.#source.toString('latin1', from, to));
    if (value === Number.POSITIVE_INFINITY) throw notForRows;
    return value;
  }
}
