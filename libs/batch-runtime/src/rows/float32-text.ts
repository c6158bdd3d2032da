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
const digitsMax = 9;
/** What a multiplication by it may be off counts only where two decimals are equally near, and then the longer one is taken. */
const parts = Float64Array.from({ length: digitsMax + 1 }, (_, power) => 1 / 10 ** power);
const pairs = Buffer.from(Array.from({ length: 100 }, (_, pair) => String(pair).padStart(2, '0')).join(''));

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
  while (dropped < digitsMax) {
    const rounded = (whole * (parts[dropped + 1] as number) + 0.5) | 0;
    const off = rounded * (powers[dropped + 1] as number) - whole;
    if (off >= gap || off <= -gap) break;
    best = rounded;
    dropped += 1;
  }
  // Nine digits, or one more where they were rounded up to a power of ten.
  const count = digitsMax - dropped + (best >= (powers[digitsMax - dropped] as number) ? 1 : 0);
  return place(to, at, best, count, count + dropped - scale);
}

function scaled(size: number, scale: number): number {
  return scale >= 0 ? size * (powers[scale] as number) : size / (powers[-scale] as number);
}

/** Writes `count` digits, of which `before` are before the point. */
function place(to: Buffer, from: number, whole: number, count: number, before: number): number {
  if (before > 21 || before < -5) return exponential(to, from, whole, count, before - 1);
  let at = from;
  if (before <= 0) {
    to[at++] = zero;
    to[at++] = point;
    for (let zeros = before; zeros < 0; zeros++) to[at++] = zero;
    return writeDigits(to, at, whole, count);
  }
  if (before >= count) {
    at = writeDigits(to, at, whole, count);
    for (let index = count; index < before; index++) to[at++] = zero;
    return at;
  }
  return withPoint(to, from, whole, count, before);
}

/** The digits one place to the right of where they begin, then the first of them back, and the point where they were. */
function withPoint(to: Buffer, from: number, whole: number, count: number, before: number): number {
  const end = writeDigits(to, from + 1, whole, count);
  for (let index = 0; index < before; index++) to[from + index] = to[from + 1 + index] as number;
  to[from + before] = point;
  return end;
}

function exponential(to: Buffer, from: number, whole: number, count: number, exponent: number): number {
  let at = count === 1 ? writeDigits(to, from, whole, 1) : withPoint(to, from, whole, count, 1);
  to[at++] = smallE;
  to[at++] = exponent < 0 ? minus : plus;
  const size = Math.abs(exponent);
  return writeDigits(to, at, size, size >= 10 ? 2 : 1);
}

/** Two at a time, from the last. */
function writeDigits(to: Buffer, from: number, whole: number, count: number): number {
  const end = from + count;
  let rest = whole;
  let at = end;
  while (at - from >= 2) {
    const upper = (rest / 100) | 0;
    const pair = (rest - upper * 100) << 1;
    to[--at] = pairs[pair + 1] as number;
    to[--at] = pairs[pair] as number;
    rest = upper;
  }
  if (at > from) to[from] = zero + rest;
  return end;
}
