import { PlatformError, type FieldProblem } from '@mooring/errors';

/** `a=90 b=10`, as one word or several, as shares by deployment in lower case. Notes every problem under `flag`. */
export function parseShares(
  words: readonly string[],
  flag: string,
  largest: number,
  problems: FieldProblem[],
): Record<string, number> {
  const shares = new Map<string, number>();
  const pairs = words.flatMap((word) => word.split(/[\s,]+/)).filter((pair) => pair !== '');
  if (pairs.length === 0)
    problems.push({ path: flag, problem: 'names no deployment', expected: `${flag} "martina=90 luca=10"` });
  for (const pair of pairs) {
    const [, name = '', percent = ''] = /^([^=]+)=(\d{1,3})%?$/.exec(pair) ?? [];
    if (name === '' || Number(percent) > largest) {
      problems.push({
        path: flag,
        problem: `'${pair.replace(/\p{Cc}/gu, '?').slice(0, 60)}' is not a share`,
        expected: `deployment=percent, a whole number from 0 to ${largest}`,
      });
    } else shares.set(name.toLowerCase(), Number(percent));
  }
  return Object.fromEntries(shares);
}

/** The shares with changes by name, zeros left out. Throws when live traffic would sum to other than 0 or 100. */
export function mergedTraffic(
  present: Readonly<Record<string, number>>,
  changes: Readonly<Record<string, number>>,
): Record<string, number> {
  const merged = withoutZeros({ ...present, ...changes });
  const sum = Object.values(merged).reduce((total, percent) => total + percent, 0);
  if (sum === 0 || sum === 100) return merged;
  const shown = Object.entries(merged)
    .map(([name, percent]) => `${name}=${percent}`)
    .join(' ');
  throw new PlatformError('invalid_argument', 'TRAFFIC_SUM', `the traffic would sum to ${sum}`, {
    problems: [
      { path: '--traffic', problem: `gives ${shown} together with what is set`, expected: 'a sum of 0 or 100' },
    ],
  });
}

export function withoutZeros(shares: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(shares).filter(([, percent]) => percent > 0));
}
