import type { Command, Flag } from '../command.ts';
import { nouns } from '../command-table.ts';
import { bareFlag } from '../parse-flags.ts';
import { globalFlags } from '../shared/flags.ts';

export interface MalformedLine {
  title: string;
  argv: readonly string[];
  /** Part of what must be said. */
  says?: RegExp;
}

type Random = (below: number) => number;

/** A good command line for each command: only what is required, then a value for each flag that takes one. */
interface Good {
  path: readonly string[];
  command: Command;
  /** Flags that must be there, with good values. */
  required: readonly string[];
}

const sample: Readonly<Record<string, string>> = {
  '--name': 'cars',
  '--endpoint-name': 'cars',
  '--file': 'endpoint.yml',
  '--request-file': 'request.json',
};

async function goodLines(): Promise<Good[]> {
  const good: Good[] = [];
  for (const [name, noun] of Object.entries(nouns)) {
    if (noun.load !== undefined) good.push(goodOf([name], (await noun.load()).command));
    for (const [verb, load] of Object.entries(noun.verbs ?? {}))
      good.push(goodOf([name, verb], (await load()).command));
  }
  return good;
}

function goodOf(path: readonly string[], command: Command): Good {
  const required = Object.values<Flag>(command.flags)
    .filter((flag) => flag.kind === 'text' && flag.required)
    .flatMap((flag) => [flag.names[0] ?? '', sample[flag.names[0] ?? ''] ?? 'value']);
  return { path, command, required };
}

/** `count` command lines, each a good one spoilt in one way that its title tells. */
export async function mutatedLines(random: Random, count: number): Promise<MalformedLine[]> {
  const good = await goodLines();
  const lines: MalformedLine[] = [];
  while (lines.length < count) {
    const spoilt = pick(mutations, random)(pick(good, random), random);
    if (spoilt !== undefined) lines.push(spoilt);
  }
  return lines;
}

type Mutation = (good: Good, random: Random) => MalformedLine | undefined;

const hostile = [
  '\x1b[2J',
  '\u202e',
  '😀',
  '..',
  '../..',
  '/',
  '%2e%2e',
  'a b',
  '*',
  '$(true)',
  ';',
  '\n',
  '-',
  '名前',
  'x'.repeat(5000),
];

const mutations: readonly Mutation[] = [
  function unknownNoun({ path, required }, random) {
    const noun = pick([typo(path[0] ?? '', random), ...hostile], random);
    return { title: `the unknown noun ${shown(noun)}`, argv: [noun, ...path.slice(1), ...required] };
  },
  function unknownVerb({ path, required }, random) {
    if (path.length < 2) return undefined;
    const verb = pick([typo(path[1] ?? '', random), 'constructor', '__proto__', 'toString', ...hostile], random);
    return { title: `the unknown verb ${shown(verb)}`, argv: [path[0] ?? '', verb, ...required] };
  },
  function unknownFlag(good, random) {
    const flag = pick(
      ['--nmae', '--', '---', '--x', '-z', '-zz', '--name-', '--__proto__', '--constructor=1', '--é'],
      random,
    );
    if (flag === '--' && bareFlag(good.command.flags) !== undefined) return undefined;
    return line(good, `the unknown flag ${flag}`, [flag, ...(random(2) === 0 ? [] : ['value'])], /is not a flag/);
  },
  function strayWord(good, random) {
    // `restart word` is well formed: it is the platform that does not know the word.
    const [, bare] = bareFlag(good.command.flags) ?? [];
    if (bare !== undefined && !good.required.includes(bare.names[0] ?? '')) return undefined;
    const word = pick(['word', '', ' ', '=', 'a=b', ...hostile.filter((text) => text !== '-')], random);
    return {
      title: `the stray word ${shown(word)}`,
      argv: [...good.path, word, ...good.required],
      // Where a word may stand alone, it is the first that is taken for it.
      says:
        bare === undefined
          ? /belongs to no flag|is not a command/
          : /belongs to no flag|is not a command|is not allowed/,
    };
  },
  function missingRequired({ path, required }, random) {
    if (required.length === 0) return undefined;
    const at = 2 * random(required.length / 2);
    const argv = [...path, ...required.slice(0, at), ...required.slice(at + 2)];
    return { title: `no ${required[at]}`, argv, says: /is missing/ };
  },
  function missingValue(good, random) {
    const flags = ownFlags(good).filter(({ kind }) => kind === 'text' || kind === 'words' || kind === 'whole');
    const name = pick(pick(flags, random).names, random);
    return line(good, `${name} without a value`, [name], /needs a value/);
  },
  function emptyValue(good, random) {
    const flags = ownFlags(good).filter(({ kind }) => kind === 'text' || kind === 'whole');
    const name = pick(pick(flags, random).names, random);
    return line(good, `${name} with an empty value`, [name, ''], /is empty|is not allowed/);
  },
  function switchWithValue(good, random) {
    const flags = ownFlags(good).filter(({ kind, names }) => kind === 'switch' && !names.includes('--help'));
    const name = pick(flags, random).names[0] ?? '';
    return line(good, `${name} with a value`, [`${name}=yes`], /takes no value/);
  },
  function refused(good, random) {
    const flags = ownFlags(good).filter(({ kind }) => kind === 'refused');
    if (flags.length === 0) return undefined;
    const name = pick(pick(flags, random).names, random);
    return line(good, `the refused ${name}`, [name], /is not taken/);
  },
  function badChoice(good, random) {
    const flags = ownFlags(good).filter((flag) => flag.kind === 'text' && flag.choices !== undefined);
    const name = pick(pick(flags, random).names, random);
    return line(
      good,
      `${name} of another word`,
      [name, pick(['xml', 'JSON', '0', ...hostile], random)],
      /is not allowed .*one of/,
    );
  },
  function badWhole(good, random) {
    const flags = ownFlags(good).filter(({ kind }) => kind === 'whole');
    if (flags.length === 0) return undefined;
    const name = pick(pick(flags, random).names, random);
    const value = pick(['-1', '0', '1.5', '1e3', 'NaN', '0x10', '99999999999999999999', 'ten', ' 7'], random);
    return line(good, `${name} ${value}`, [name, value], /is not allowed .*whole number/);
  },
  function badRule(good, random) {
    const flags = ownFlags(good).filter((flag) => flag.kind === 'text' && flag.rule !== undefined);
    const name = pick(pick(flags, random).names, random);
    return line(
      good,
      `${name} with a hostile value`,
      [name, pick(hostile, random)],
      /is not allowed|belongs to no flag|needs a value/,
    );
  },
  function badQuery(good, random) {
    const query = pick(['[', 'a b', '{', '?', '$', '(', 'f(', ']'.repeat(1000), '('.repeat(3000)], random);
    return line(good, `the query ${shown(query)}`, ['--query', query], /--query: /);
  },
];

function ownFlags({ command }: Good): Flag[] {
  return Object.values<Flag>({ ...globalFlags, ...command.flags });
}

function line({ path, required }: Good, title: string, more: readonly string[], says: RegExp): MalformedLine {
  return { title: `${path.join(' ')} with ${title}`, argv: [...path, ...required, ...more], says };
}

/** The word with one letter left out, doubled or changed; never a word that is a command. */
function typo(word: string, random: Random): string {
  const at = random(word.length);
  const spoilt = pick(
    [
      word.slice(0, at) + word.slice(at + 1),
      `${word}s`,
      word.slice(0, at) + (word[at] ?? '') + word.slice(at),
      word.toUpperCase(),
      `${word} `,
    ],
    random,
  );
  return spoilt === '' || Object.hasOwn(nouns, spoilt) ? `${word}x` : spoilt;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 20));
}

function pick<T>(items: readonly T[], random: Random): T {
  const item = items[random(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
