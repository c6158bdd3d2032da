import { didYouMean, PlatformError, type FieldProblem } from '@mooring/errors';
import type { ArgsOf, Flag, Flags, WholeFlag } from './command.ts';

/**
 * Reads `argv` by the table of flags. Throws one PlatformError with every problem: unknown and refused flags, missing
 * and wrong values, missing flags, words that belong to no flag. After `--` no word is a flag.
 */
export function parseFlags<F extends Flags>(argv: readonly string[], flags: F): ArgsOf<F> {
  const problems: FieldProblem[] = [];
  const byName = new Map(
    Object.entries(flags).flatMap(([key, flag]) => flag.names.map((name) => [name, { key, flag }] as const)),
  );
  const values = new Map<string, string[]>();
  const bare = bareFlag(flags);
  let flagsEnded = false;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (word === '--' && bare !== undefined && !flagsEnded) {
      flagsEnded = true;
      continue;
    }
    const named = flagsEnded || !word.startsWith('-') ? bareWord(word, bare, values) : splitWord(word, byName);
    if (named === undefined) {
      problems.push(flagsEnded ? belongsNowhere(word) : strayWord(word, byName));
      continue;
    }
    const { key, flag, value } = named;
    const given = value === undefined ? followingWords(argv, at + 1, flag) : [value];
    if (value === undefined) at += given.length;
    const wrong = problemOf(flag, named.name, given, value !== undefined);
    if (wrong !== undefined) problems.push(wrong);
    values.set(key, flag.kind === 'words' ? [...(values.get(key) ?? []), ...given] : given);
  }
  for (const [key, flag] of Object.entries(flags)) {
    if (flag.kind === 'text' && flag.required && !values.has(key)) {
      problems.push({ path: flag.names.join('/'), problem: 'is missing', expected: flag.about });
    }
  }
  if (problems.length > 0) {
    throw new PlatformError('invalid_argument', 'BAD_ARGUMENTS', 'the command line is not right', { problems });
  }
  return Object.fromEntries(
    Object.entries(flags).map(([key, flag]) => [key, read(flag, values.get(key))]),
  ) as ArgsOf<F>;
}

interface Named {
  key: string;
  flag: Flag;
  name: string;
  /** Given in the same word: `--name=cars`, `-ojson`. */
  value: string | undefined;
}

function splitWord(word: string, byName: ReadonlyMap<string, { key: string; flag: Flag }>): Named | undefined {
  const exact = byName.get(word);
  if (exact !== undefined) return { ...exact, name: word, value: undefined };
  const equals = word.indexOf('=');
  const long = word.startsWith('--') && equals > 0 ? byName.get(word.slice(0, equals)) : undefined;
  if (long !== undefined) return { ...long, name: word.slice(0, equals), value: word.slice(equals + 1) };
  const short = /^-[a-zA-Z]./s.test(word) ? byName.get(word.slice(0, 2)) : undefined;
  if (short === undefined || short.flag.kind === 'switch') return undefined;
  return { ...short, name: word.slice(0, 2), value: word.slice(2).replace(/^=/, '') };
}

/** The flag whose value may stand alone. */
export function bareFlag(flags: Flags): readonly [key: string, flag: Flag] | undefined {
  return Object.entries(flags).find(([, flag]) => flag.kind === 'text' && flag.bare);
}

/** A word on its own as the value of the flag that may be left out, unless that has one. */
function bareWord(
  word: string,
  bare: readonly [string, Flag] | undefined,
  values: ReadonlyMap<string, unknown>,
): Named | undefined {
  if (bare === undefined || word === '' || values.has(bare[0])) return undefined;
  const [key, flag] = bare;
  return { key, flag, name: flag.names[0] ?? key, value: word };
}

/** The words after a flag that are its values: none, one, or all up to the next flag. */
function followingWords(argv: readonly string[], from: number, flag: Flag): string[] {
  if (flag.kind === 'switch' || flag.kind === 'refused') return [];
  const words: string[] = [];
  for (let at = from; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    // `-` alone is standard input, and `-1` a number; everything else that begins with a dash is the next flag.
    if (/^-./.test(word) && !/^-\d/.test(word)) break;
    words.push(word);
    if (flag.kind !== 'words') break;
  }
  return words;
}

function problemOf(flag: Flag, name: string, given: readonly string[], inOneWord: boolean): FieldProblem | undefined {
  if (flag.kind === 'refused') return { path: name, problem: 'is not taken', expected: flag.instead };
  if (flag.kind === 'switch') return inOneWord ? { path: name, problem: 'takes no value', expected: name } : undefined;
  const value = given[0];
  if (value === undefined) return { path: name, problem: 'needs a value', expected: `${name} ${flag.value}` };
  if (flag.kind === 'whole') return wholeOf(flag, value) === undefined ? notWhole(flag, name, value) : undefined;
  if (flag.kind === 'text' && value === '') return { path: name, problem: 'is empty', expected: flag.about };
  if (flag.kind !== 'text') return undefined;
  const { choices, rule } = flag;
  const problem = `'${shortened(value)}' is not allowed`;
  if (choices !== undefined && !choices.includes(value)) {
    return { path: name, problem, expected: `one of: ${choices.join(', ')}` };
  }
  return rule === undefined || rule.test(value) ? undefined : { path: name, problem, expected: rule.expected };
}

function notWhole({ smallest, largest }: WholeFlag, name: string, value: string): FieldProblem {
  return {
    path: name,
    problem: `'${shortened(value)}' is not allowed`,
    expected: `a whole number from ${smallest} to ${largest}`,
  };
}

function wholeOf({ smallest, largest }: WholeFlag, text: string): number | undefined {
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return value >= smallest && value <= largest ? value : undefined;
}

function strayWord(word: string, byName: ReadonlyMap<string, { flag: Flag }>): FieldProblem {
  if (!word.startsWith('-')) return belongsNowhere(word);
  const shown = shortened(word);
  const name = word.split('=')[0] ?? word;
  // Two letters are near to any other two.
  if (name.length <= 3) return { path: shown, problem: 'is not a flag of this command' };
  const known = [...byName].filter(([, { flag }]) => flag.hidden !== true).map(([flagName]) => flagName);
  return { path: shown, problem: `is not a flag of this command${didYouMean(name, known)}` };
}

function belongsNowhere(word: string): FieldProblem {
  const path = word === '' ? "''" : shortened(word);
  return { path, problem: 'belongs to no flag', expected: 'flags only; --help lists them' };
}

function read(flag: Flag, given: readonly string[] | undefined): unknown {
  if (flag.kind === 'switch') return given !== undefined;
  if (flag.kind === 'words') return given ?? [];
  if (given === undefined) return undefined;
  return flag.kind === 'whole' ? wholeOf(flag, given[0] ?? '') : given[0];
}

function shortened(text: string): string {
  const clean = text.replace(/\p{Cc}/gu, '?');
  return clean.length > 60 ? `${clean.slice(0, 57)}...` : clean;
}
