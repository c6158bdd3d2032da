import { PlatformError } from '@mooring/errors';

/** Whether a path below the input's folder is meant. */
export type Glob = (path: string) => boolean;

const patternCharactersMax = 1_024;
/** Of what `{a,b}` and the like come to, all together. */
const alternativesMax = 100;
const alternativesCharactersMax = 8_192;

/**
 * Reads a pattern: `**` any folders, `*` any part of a name, `?` a character, `[a-z]` or `[!a-z]` one of these, `{a,b}` either; what is not
 * whole stands for itself. A name that begins with a dot must be meant: the pattern says the dot. A caller gives it, so none takes more time
 * for a path than the product of their lengths, and one that means too much is refused with `invalid_argument`.
 */
export function readGlob(pattern: string): Glob {
  const alternatives = alternativesOf(pattern).map((alternative) =>
    alternative
      .split('/')
      .filter((name, at, names) => name !== '**' || names[at - 1] !== '**')
      .map((name) => (name === '**' ? undefined : tokensOf(name))),
  );
  return (path) => {
    const names = path.split('/').map((name) => [...name]);
    return alternatives.some((wanted) => matchesPath(wanted, names));
  };
}

/** `a{b,c}d` is `abd` and `acd`; one brace may stand in another. */
function alternativesOf(pattern: string): string[] {
  if (pattern.length > patternCharactersMax) throw tooMuch();
  const done: string[] = [];
  const open = [pattern];
  let characters = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const either = firstBraces(next);
    if (either === undefined) {
      done.push(next);
      characters += next.length;
    } else open.push(...either.toReversed());
    if (done.length + open.length > alternativesMax || characters > alternativesCharactersMax) throw tooMuch();
  }
  return done;
}

/** The texts that the first braces with a comma in them mean; undefined where there are none. */
function firstBraces(text: string): string[] | undefined {
  for (let from = text.indexOf('{'); from >= 0; from = text.indexOf('{', from + 1)) {
    const choices: string[] = [];
    let [depth, begin] = [0, from + 1];
    for (let at = from; at < text.length; at += 1) {
      const character = text[at];
      if (character === '{') depth += 1;
      else if (character === '}') depth -= 1;
      if (depth > 1 || (depth === 1 && character !== ',')) continue;
      choices.push(text.slice(begin, at));
      begin = at + 1;
      if (depth > 0) continue;
      if (choices.length > 1) return choices.map((choice) => text.slice(0, from) + choice + text.slice(at + 1));
      break;
    }
  }
  return undefined;
}

function tooMuch(): PlatformError {
  const problem = `holds a pattern of more than ${patternCharactersMax} characters, or of braces that mean more than ${alternativesMax} patterns`;
  return PlatformError.invalid('the job', [
    { path: 'uri', problem, expected: 'a plainer one, such as photos/**/*.jpg' },
  ]);
}

/** A character, or `*`, or what one character may be. */
type Token = string | 'any' | ((character: string) => boolean);

function tokensOf(name: string): Token[] {
  const tokens: Token[] = [];
  const characters = [...name];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '*') {
      if (tokens.at(-1) !== 'any') tokens.push('any');
    } else if (character === '?') tokens.push(() => true);
    else if (character === '[' && closing(characters, at) > 0) {
      const begin = at + (isNot(characters, at) ? 2 : 1);
      const end = closing(characters, at);
      tokens.push(oneOf(characters.slice(begin, end), isNot(characters, at)));
      at = end;
    } else tokens.push(character);
  }
  return tokens;
}

function isNot(characters: readonly string[], bracket: number): boolean {
  return characters[bracket + 1] === '!' || characters[bracket + 1] === '^';
}

/** A bracket that comes first is one of those within: []a]. Negative where nothing closes it. */
function closing(characters: readonly string[], bracket: number): number {
  return characters.indexOf(']', bracket + (isNot(characters, bracket) ? 3 : 2));
}

function oneOf(characters: readonly string[], not: boolean): (character: string) => boolean {
  const ranges: [string, string][] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const first = characters[at] ?? '';
    const isRange = characters[at + 1] === '-' && at + 2 < characters.length;
    ranges.push([first, isRange ? (characters[at + 2] ?? '') : first]);
    if (isRange) at += 2;
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== not;
}

/** Undefined stands for `**`. Whoever fails goes back to the last one alone, because an earlier one could reach nothing else. */
function matchesPath(
  wanted: readonly (readonly Token[] | undefined)[],
  names: readonly (readonly string[])[],
): boolean {
  let [at, name] = [0, 0];
  let back: { at: number; name: number } | undefined;
  while (name < names.length || at < wanted.length) {
    if (at < wanted.length && wanted[at] === undefined) {
      at += 1;
      // At the end it stands for one name at least: a/** is not a.
      if (at === wanted.length) return name < names.length && names.slice(name).every(([first]) => first !== '.');
      back = { at, name };
      continue;
    }
    const own = names[name];
    const tokens = wanted[at];
    if (own !== undefined && tokens !== undefined && matchesName(tokens, own)) {
      [at, name] = [at + 1, name + 1];
      continue;
    }
    const skipped = back === undefined ? undefined : names[back.name];
    if (back === undefined || skipped === undefined || skipped[0] === '.') return false;
    back.name += 1;
    ({ at, name } = back);
  }
  return true;
}

function matchesName(tokens: readonly Token[], name: readonly string[]): boolean {
  if (name[0] === '.' && tokens[0] !== '.') return false;
  let [at, place] = [0, 0];
  let back: { at: number; place: number } | undefined;
  while (place < name.length || at < tokens.length) {
    const token = tokens[at];
    if (token === 'any') {
      at += 1;
      back = { at, place };
      continue;
    }
    const character = name[place];
    if (character !== undefined && token !== undefined && fits(token, character)) {
      [at, place] = [at + 1, place + 1];
      continue;
    }
    if (back === undefined || back.place >= name.length) return false;
    back.place += 1;
    ({ at, place } = back);
  }
  return true;
}

function fits(token: Token, character: string): boolean {
  return typeof token === 'function' ? token(character) : token === character;
}
