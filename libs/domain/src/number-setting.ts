import type { FieldProblem } from '@mooring/errors';

/** One `mooring.*` property that holds a number. */
export interface NumberRule {
  property: string;
  fallback: number | undefined;
  smallest: number;
  largest: number;
  whole: boolean;
}

/** Number() also takes 0x10, and nothing for 0. */
const decimal = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i;

/** The number that the property says, or the fallback; what is no such number is noted. */
export function readNumberSetting(
  properties: Readonly<Record<string, string>>,
  { property, fallback, smallest, largest, whole }: NumberRule,
  problems: FieldProblem[],
): number | undefined {
  const text = properties[property];
  if (text === undefined) return fallback;
  const value = decimal.test(text) ? Number(text) : Number.NaN;
  if (value >= smallest && value <= largest && (!whole || Number.isInteger(value))) return value;
  problems.push({
    path: `properties.${property}`,
    problem: `'${shownSetting(text)}' is not allowed`,
    expected: `a ${whole ? 'whole ' : ''}number from ${smallest} to ${largest}`,
  });
  return fallback;
}

/** For a message: short, and without the characters that would write to the terminal that shows it. */
export function shownSetting(text: string): string {
  const clean = text.replace(/\p{Cc}/gu, '?');
  return clean.length > 80 ? `${clean.slice(0, 77)}...` : clean;
}
