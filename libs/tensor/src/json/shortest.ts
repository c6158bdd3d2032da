/**
 * The shortest decimal of a double, as String(value) writes it, straight into bytes. Within twice the precision of a double
 * (Dekker's products) the digits are clear for nearly all numbers; String(value) is asked for the others.
 */

const halves = 2 ** 27 + 1;
/** Powers of ten as sums of two doubles: what the first lacks is the second. */
const powerMax = 25;
const powerHigh = new Float64Array(powerMax + 1);
const powerLow = new Float64Array(powerMax + 1);
for (let power = 0; power <= powerMax; power++) {
  const high = Number(`1e${power}`);
  powerHigh[power] = high;
  powerLow[power] = Number(10n ** BigInt(power) - BigInt(high));
}

/** Doubles of a binary exponent have their first digit there. */
const exponentMin = -24;
const exponentMax = 52;
/** The power that brings the least number of a binary exponent to seventeen digits. */
const powerOf = Int8Array.from({ length: exponentMax - exponentMin + 1 }, (_, index) => {
  const least = 2 ** (index + exponentMin);
  return 16 - Math.floor(Math.log10(least));
});

/** Numbers close below eighteen digits are left out: rounded, they might have them. */
const seventeenEnd = 1e17 - 16;

const pairs = Buffer.from(Array.from({ length: 100 }, (_, pair) => String(pair).padStart(2, '0')).join(''));
const digitZero = 0x30;
const pointByte = 0x2e;
const minusByte = 0x2d;
/** Far more than the error of what it is compared with, which is below 1e-7. */
const margin = 1e-5;

const parts = new Float64Array(1);
const words = new Uint32Array(parts.buffer);

/** Bytes that one number takes at most. */
export const numberBytesMax = 26;

/** Writes a whole number below 2^53 that is not negative, and returns where it ends. */
export function writeWhole(to: Buffer, from: number, value: number): number {
  if (value >= 1e8) {
    const upper = Math.floor(value / 1e8);
    const at = writeWhole(to, from, upper);
    writeEight(to, at, value - upper * 1e8);
    return at + 8;
  }
  let end = from + 1;
  for (let limit = 10; value >= limit; limit *= 10) end += 1;
  let rest = value;
  for (let at = end - 1; at >= from; at--) {
    const upper = (rest / 10) | 0;
    to[at] = digitZero + rest - upper * 10;
    rest = upper;
  }
  return end;
}

/** Writes `value`, which is finite, as String(value) does, and returns where it ends. */
export function writeShortest(to: Buffer, from: number, value: number): number {
  let at = from;
  let size = value;
  if (value < 0) {
    to[at++] = minusByte;
    size = -value;
  }
  if ((size | 0) === size) return writeWhole(to, at, size);
  const end = writeDigits(to, at, size);
  return end > 0 ? end : from + to.write(String(value), from, 'latin1');
}

/** Where the number ends; 0: not clear. */
function writeDigits(to: Buffer, from: number, size: number): number {
  parts[0] = size;
  const top = words[1] as number;
  const exponent = (top >>> 20) - 1023;
  // Below a power of two lies a narrower gap than above.
  if (exponent < exponentMin || exponent > exponentMax || ((top & 0xfffff) === 0 && words[0] === 0)) return 0;
  let power = powerOf[exponent - exponentMin] as number;
  if (size * (powerHigh[power] as number) >= 1e17) power -= 1;
  const ten = powerHigh[power] as number;
  const high = size * ten;
  if (high >= seventeenEnd || high < 1e16) return 0;
  // What the product lacks.
  let split = halves * size;
  const sizeHigh = split - (split - size);
  const sizeLow = size - sizeHigh;
  split = halves * ten;
  const tenHigh = split - (split - ten);
  const tenLow = ten - tenHigh;
  const low =
    sizeHigh * tenHigh -
    high +
    sizeHigh * tenLow +
    sizeLow * tenHigh +
    sizeLow * tenLow +
    size * (powerLow[power] as number);
  // Nine digits and eight; the last ones with what lies behind the point.
  let front = Math.floor(high / 1e8);
  let back = high - front * 1e8 + low;
  if (back < 0) {
    front -= 1;
    back += 1e8;
  }
  // Half of the gap between two doubles, in units of the seventeenth digit.
  words[0] = 0;
  words[1] = (exponent + 1023 - 53) << 20;
  const gap = (parts[0] as number) * ten;
  const digits = nearestWithin(back, gap);
  if (digits < 0) return 0;
  back = digits;
  if (back >= 1e8) {
    front += 1;
    back -= 1e8;
  }
  return place(to, from, front, back, 17 - power);
}

/**
 * The whole number within `gap` (less than 12) of `back` that ends in the most zeros, and of those the nearest; -1 where it is not clear.
 * Multiplied by 0.01 and 0.1: a rounding error counts only where two numbers are equally near, which is not clear anyway.
 */
function nearestWithin(back: number, gap: number): number {
  const hundreds = Math.floor(back * 0.01 + 0.5) * 100;
  const offHundreds = Math.abs(back - hundreds);
  if (offHundreds < gap + margin) return offHundreds < gap - margin ? hundreds : -1;
  const tens = Math.floor(back * 0.1 + 0.5) * 10;
  const offTens = Math.abs(back - tens);
  if (offTens < gap + margin) return offTens < gap - margin && offTens < 5 - margin ? tens : -1;
  const ones = Math.floor(back + 0.5);
  return Math.abs(back - ones) < 0.5 - margin ? ones : -1;
}

/** Seventeen digits without the zeros at their end; `point` of them are before the point. */
function place(to: Buffer, from: number, front: number, back: number, point: number): number {
  let at = from;
  if (point <= 0) {
    if (point <= -6) return 0;
    to[at++] = digitZero;
    to[at++] = pointByte;
    for (let zeros = point; zeros < 0; zeros++) to[at++] = digitZero;
  } else at += 1;
  const first = (front / 1e8) | 0;
  to[at] = digitZero + first;
  writeEight(to, at + 1, front - first * 1e8);
  writeEight(to, at + 9, back);
  let end = at + 17;
  while (to[end - 1] === digitZero) end -= 1;
  if (point <= 0) return end;
  // The digits lie one place to the right of where they begin.
  for (let index = 0; index < point; index++) to[from + index] = to[from + 1 + index] as number;
  if (end <= from + 1 + point) return from + point;
  to[from + point] = pointByte;
  return end;
}

function writeEight(to: Buffer, at: number, value: number): void {
  const upper = (value / 1e4) | 0;
  writeFour(to, at, upper);
  writeFour(to, at + 4, value - upper * 1e4);
}

function writeFour(to: Buffer, at: number, value: number): void {
  const upper = (value / 100) | 0;
  const lower = value - upper * 100;
  to[at] = pairs[2 * upper] as number;
  to[at + 1] = pairs[2 * upper + 1] as number;
  to[at + 2] = pairs[2 * lower] as number;
  to[at + 3] = pairs[2 * lower + 1] as number;
}
