/** Powers of ten that a double holds exactly. */
const exactPowers = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
export const exactPowerMax = 22;
/** Whole numbers below this are exact; a sum of digits that reaches it may have been rounded. */
export const exactWholeEnd = 2 ** 53;
/** Digits that are exact in a double, whatever they are. */
export const leadDigitsMax = 15;
/** Digits that are exact in an int32, whatever they are. */
export const tailDigitsMax = 9;

/** whole * 10^power, rounded once: exact operands make it the double that JSON.parse gives. `|power|` <= exactPowerMax. */
export function scaled(whole: number, power: number): number {
  return power < 0 ? whole / (exactPowers[-power] as number) : whole * (exactPowers[power] as number);
}

/** Veltkamp's constant: splits a double into two halves whose products are exact. */
const halves = 2 ** 27 + 1;
/** The quotient below is off by less than 2^-102 of itself; this is 2^-100. */
const quotientError = 2 ** -100;

/**
 * (lead * 10^tailDigits + tail) / 10^power as the nearest double; NaN where that is too close to call. `lead` has at most
 * leadDigitsMax digits, `tail` at most tailDigitsMax, `power` is at most exactPowerMax. Twice the precision of a double
 * by Dekker's sums and products: half the price of Number(text) for the 16 to 18 digits of a float32 or float64.
 */
export function longQuotient(lead: number, tail: number, tailDigits: number, power: number): number {
  const shift = exactPowers[tailDigits] as number;
  const product = lead * shift;
  const low = productError(lead, shift, product) + tail;
  const dividend = product + low;
  const dividendLow = low - (dividend - product);
  const divisor = exactPowers[power] as number;
  const quotient = dividend / divisor;
  const back = quotient * divisor;
  const rest = (dividend - back - productError(quotient, divisor, back) + dividendLow) / divisor;
  const margin = quotient * quotientError;
  const nearest = quotient + (rest + margin);
  return nearest === quotient + (rest - margin) ? nearest : Number.NaN;
}

/** a * b - product, exactly. */
function productError(a: number, b: number, product: number): number {
  const aBig = halves * a;
  const aHigh = aBig - (aBig - a);
  const aLow = a - aHigh;
  const bBig = halves * b;
  const bHigh = bBig - (bBig - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}
