/**
 * The shortest decimal of a float32: of at most nine digits, nearer to it than to any other float32, as numpy and pandas write it. A double
 * of the same value takes seventeen digits, twice the bytes and twice the time, and where it is tiny ten times the time.
 */

const exponentMin = -149;
/** Powers of ten that bring a float32 to nine digits, and back. */
const powerMax = 55;
const powers = Float64Array.from({ length: powerMax + 1 }, (_, power) => Number(`1e${power}`));
/** For each binary exponent: the power of ten that brings its least number to nine digits before the point. */
const scaleOf = Int8Array.from(
  { length: 128 - exponentMin },
  (_, index) => 8 - Math.floor(Math.log10(2 ** (index + exponentMin))),
);
/** Half of what lies between two neighbours, by the binary exponent. */
const halfGaps = Float64Array.from(
  { length: 128 - exponentMin },
  (_, index) => 2 ** (Math.max(index + exponentMin, -126) - 24),
);
/** Far more than the error of what it is compared with. */
const margin = 1e-5;
const nineDigitsEnd = 1e9;

const zero = 0x30;
const minus = 0x2d;
const point = 0x2e;
const plus = 0x2b;
const smallE = 0x65;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
const digitsMax = 10;
const digits = new Uint8Array(digitsMax);

/** Bytes that one takes at most. */
export const float32BytesMax = 26;

/** Writes `value`, a finite float32, and returns where it ends. The form is that of String(value). */
export function writeFloat32(to: Buffer, from: number, value: number): number {
  let at = from;
  let size = value;
  if (value < 0) {
    to[at++] = minus;
    size = -value;
  }
  if (size === 0) {
    to[at] = zero;
    return at + 1;
  }
  float[0] = size;
  const word = bits[0] as number;
  // Below 2^-126 the bits before the first one are zero.
  const exponent = word >= 0x800000 ? (word >>> 23) - 127 : 31 - Math.clz32(word) - 149;
  let scale = scaleOf[exponent - exponentMin] as number;
  let whole = scaled(size, scale);
  if (whole >= nineDigitsEnd) whole = scaled(size, --scale);
  // Below a power of two lies a narrower gap than above; the narrower one is right on both sides.
  const narrow = (word & 0x7fffff) === 0 && exponent > -126 ? 0.5 : 1;
  const gap = scaled((halfGaps[exponent - exponentMin] as number) * narrow, scale) - margin;
  let best = (whole + 0.5) | 0;
  let dropped = 0;
  for (let unit = 10; unit <= nineDigitsEnd; unit *= 10) {
    const rounded = (whole / unit + 0.5) | 0;
    if (Math.abs(rounded * unit - whole) >= gap || rounded === 0) break;
    best = rounded;
    dropped += 1;
  }
  return place(to, at, best, dropped - scale);
}

function scaled(size: number, scale: number): number {
  return scale >= 0 ? size * (powers[scale] as number) : size / (powers[-scale] as number);
}

/** `whole * 10^power`; whole has no more than ten digits, and no zero at its end. */
function place(to: Buffer, from: number, whole: number, power: number): number {
  let rest = whole;
  let first = digitsMax;
  while (rest > 0) {
    const upper = (rest / 10) | 0;
    digits[--first] = zero + rest - upper * 10;
    rest = upper;
  }
  const count = digitsMax - first;
  /** Digits before the point. */
  const before = count + power;
  if (before > 21 || before < -5) return exponential(to, from, first, before - 1);
  let at = from;
  if (before <= 0) {
    to[at++] = zero;
    to[at++] = point;
    for (let zeros = before; zeros < 0; zeros++) to[at++] = zero;
  }
  for (let index = 0; index < count; index++) {
    if (index === before && index > 0) to[at++] = point;
    to[at++] = digits[first + index] as number;
  }
  for (let index = count; index < before; index++) to[at++] = zero;
  return at;
}

function exponential(to: Buffer, from: number, first: number, exponent: number): number {
  let at = from;
  to[at++] = digits[first] as number;
  if (first + 1 < digitsMax) to[at++] = point;
  for (let index = first + 1; index < digitsMax; index++) to[at++] = digits[index] as number;
  to[at++] = smallE;
  to[at++] = exponent < 0 ? minus : plus;
  const size = Math.abs(exponent);
  if (size >= 10) to[at++] = zero + Math.floor(size / 10);
  to[at++] = zero + (size % 10);
  return at;
}
