import { exactPowerMax, exactWholeEnd, leadDigitsMax, longQuotient, scaled, tailDigitsMax } from '@mooring/tensor';

// In this module: what is imported is looked up each time.
const powerMax = exactPowerMax;
const wholeEnd = exactWholeEnd;
const leadMax = leadDigitsMax;
const tailMax = tailDigitsMax;
const zero = 0x30;
const minusFromZero = 0x2d - zero;
const plusFromZero = 0x2b - zero;
const pointFromZero = 0x2e - zero;
const smallEFromZero = 0x65 - zero;
const bigEFromZero = 0x45 - zero;

/** Where numberAt ended; -1 where it found no number. */
export const end = new Int32Array(1);

/**
 * The number of JSON that begins at `from`, as the nearest double, with `end[0]` behind it. What follows must be no digit. The
 * arithmetic, and why it rounds once, is that of the tensor library's reader of arrays, which has no numbers alone.
 */
export function numberAt(source: Buffer, from: number): number {
  let at = from;
  let digit = (source[at] as number) - zero;
  const negative = digit === minusFromZero;
  if (negative) digit = (source[++at] as number) - zero;
  const begin = at;
  if (digit >>> 0 > 9) return none();
  let whole = digit;
  let tail = 0;
  let tailDigits = 0;
  let power = 0;
  digit = (source[++at] as number) - zero;
  if (whole !== 0) {
    while (digit >>> 0 <= 9) {
      whole = whole * 10 + digit;
      digit = (source[++at] as number) - zero;
    }
  }
  if (digit === pointFromZero) {
    const behindPoint = at + 1;
    const leadEnd = begin + leadMax + 1;
    digit = (source[++at] as number) - zero;
    if (digit >>> 0 > 9) return none();
    do {
      whole = whole * 10 + digit;
      digit = (source[++at] as number) - zero;
    } while (digit >>> 0 <= 9 && at < leadEnd);
    const leadTo = at;
    while (digit >>> 0 <= 9) {
      tail = (tail * 10 + digit) | 0;
      digit = (source[++at] as number) - zero;
    }
    tailDigits = at - leadTo;
    power = behindPoint - at;
  }
  if (digit === smallEFromZero || digit === bigEFromZero) {
    digit = (source[++at] as number) - zero;
    const down = digit === minusFromZero;
    if (down || digit === plusFromZero) digit = (source[++at] as number) - zero;
    if (digit >>> 0 > 9) return none();
    let exponent = 0;
    for (; digit >>> 0 <= 9; digit = (source[++at] as number) - zero) exponent = exponent * 10 + digit;
    power += down ? -exponent : exponent;
  }
  // 007 is no number.
  if (digit >>> 0 <= 9) return none();
  end[0] = at;
  const exact = whole < wholeEnd && power >= -powerMax && power <= powerMax;
  let value = whole;
  if (exact && tailDigits === 0) {
    if (power !== 0) value = scaled(whole, power);
  } else {
    value = Number.NaN;
    if (exact && tailDigits <= tailMax && power <= 0) value = longQuotient(whole, tail, tailDigits, -power);
    if (Number.isNaN(value)) value = Number(source.toString('latin1', begin, at));
  }
  return negative ? -value : value;
}

function none(): number {
  end[0] = -1;
  return Number.NaN;
}
