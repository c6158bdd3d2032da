import { PlatformError } from '@mooring/errors';
import { describe, expect, it } from 'vitest';
import type { Flags } from './command.ts';
import { parseFlags } from './parse-flags.ts';

const flags = {
  name: { kind: 'text', names: ['--name', '-n'], value: 'NAME', about: 'name of it', required: true },
  output: { kind: 'text', names: ['--output', '-o'], value: 'FORMAT', about: 'format', choices: ['json', 'table'] },
  lines: { kind: 'whole', names: ['--lines', '-l'], value: 'N', about: 'lines', smallest: -5, largest: 100 },
  set: { kind: 'words', names: ['--set'], value: 'PATH=VALUE', about: 'set' },
  yes: { kind: 'switch', names: ['--yes', '-y'], about: 'do not ask' },
  local: { kind: 'refused', names: ['--local'], about: 'refused', hidden: true, instead: 'leave it out' },
  even: {
    kind: 'text',
    names: ['--even'],
    value: 'WORD',
    about: 'even',
    rule: { test: (value) => value.length % 2 === 0, expected: 'an even word' },
  },
} as const satisfies Flags;

const problemsOf = (...argv: string[]): string[] => {
  try {
    parseFlags(argv, flags);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(PlatformError);
    expect(thrown).toMatchObject({ code: 'invalid_argument', reason: 'BAD_ARGUMENTS' });
    return (thrown as PlatformError).problems.map(
      ({ path, problem, expected }) => `${path}: ${problem}${expected === undefined ? '' : ` (${expected})`}`,
    );
  }
  return [];
};

describe('parseFlags', () => {
  const nothing = { name: 'cars', output: undefined, lines: undefined, set: [], yes: false, local: undefined };

  it.each<[string[], object]>([
    [['--name', 'cars'], {}],
    [['-n', 'cars'], {}],
    [['--name=cars'], {}],
    [['-ncars'], {}],
    [['-n=cars'], {}],
    [['-n', 'x', '-n', 'cars'], {}],
    [['-n', 'cars', '-ojson', '-y'], { output: 'json', yes: true }],
    [['-n', 'cars', '--lines', '-5'], { lines: -5 }],
    [['-n', 'cars', '--set', 'a=1', 'b=2', '--yes', '--set', 'c=3'], { set: ['a=1', 'b=2', 'c=3'], yes: true }],
    [['--set', 'a=-x', '-n', 'cars'], { set: ['a=-x'] }],
    [['--set=a=b', '-n', 'cars'], { set: ['a=b'] }],
    [['-n', 'cars', '--even', 'ab'], { even: 'ab' }],
  ])('reads %j', (argv, more) => {
    expect(parseFlags(argv, flags)).toEqual({ ...nothing, even: undefined, ...more });
  });

  it('takes one word alone for the flag that may be left out', () => {
    const id = { kind: 'text', names: ['--id'], value: 'ID', about: 'id', required: true, bare: true } as const;
    const own = { id, output: flags.output };
    for (const argv of [['r-1'], ['--id', 'r-1'], ['--id=r-1'], ['-o', 'json', 'r-1'], ['r-1', '-o', 'json']]) {
      expect(parseFlags(argv, own).id).toBe('r-1');
    }
    for (const argv of [['--', '--id'], ['-o', 'json', '--', '--id'], ['--id=--id'], ['--id=--id', '--']]) {
      expect(parseFlags(argv, own).id).toBe('--id');
    }
    for (const argv of [
      ['r-1', 'r-2'],
      ['--id', 'r-1', 'r-2'],
      ['r-1', '--', '-r-2'],
      ['--id', '-r'],
      ['--'],
      [''],
      [],
    ]) {
      expect(() => parseFlags(argv, own)).toThrow('the command line is not right');
    }
  });

  it('takes a dash alone as a value: standard input', () => {
    expect(parseFlags(['-n', '-'], flags).name).toBe('-');
  });

  it.each<[string[], string[]]>([
    [[], ['--name/-n: is missing (name of it)']],
    [['-n'], ['-n: needs a value (-n NAME)']],
    [['-n', '--yes'], ['-n: needs a value (-n NAME)']],
    [['-n', ''], ['-n: is empty (name of it)']],
    [['--name='], ['--name: is empty (name of it)']],
    [['-n', 'x', 'y'], ['y: belongs to no flag (flags only; --help lists them)']],
    [['-n', 'x', ''], ["'': belongs to no flag (flags only; --help lists them)"]],
    [
      ['-n', 'x', '--nmae', 'y'],
      [
        "--nmae: is not a flag of this command (did you mean '--name'?)",
        'y: belongs to no flag (flags only; --help lists them)',
      ],
    ],
    [['-n', 'x', '-z'], ['-z: is not a flag of this command']],
    [['-n', 'x', '--'], ['--: is not a flag of this command']],
    [['-n', 'x', '--yes=no'], ['--yes: takes no value (--yes)']],
    [['-n', 'x', '-yes'], ["-yes: is not a flag of this command (did you mean '--yes'?)"]],
    [['-n', 'x', '-o', 'xml'], ["-o: 'xml' is not allowed (one of: json, table)"]],
    [['-n', 'x', '-o', 'JSON'], ["-o: 'JSON' is not allowed (one of: json, table)"]],
    [['-n', 'x', '-l', 'ten'], ["-l: 'ten' is not allowed (a whole number from -5 to 100)"]],
    [['-n', 'x', '-l', '1.5'], ["-l: '1.5' is not allowed (a whole number from -5 to 100)"]],
    [['-n', 'x', '-l', '1e2'], ["-l: '1e2' is not allowed (a whole number from -5 to 100)"]],
    [['-n', 'x', '-l', '101'], ["-l: '101' is not allowed (a whole number from -5 to 100)"]],
    [['-n', 'x', '--set'], ['--set: needs a value (--set PATH=VALUE)']],
    [['-n', 'x', '--local'], ['--local: is not taken (leave it out)']],
    [['-n', 'x', '--even', 'abc'], ["--even: 'abc' is not allowed (an even word)"]],
    [['-n', 'x', '\x1b[31m'], ['?[31m: belongs to no flag (flags only; --help lists them)']],
  ])('refuses %j', (argv, problems) => expect(problemsOf(...argv)).toEqual(problems));

  it('tells all problems at once', () => {
    expect(problemsOf('--bogus', '-o', 'xml', '-l', 'x', '--local')).toHaveLength(5);
  });

  it('shows only the beginning of a long word', () => {
    expect(problemsOf('-n', 'x', 'y'.repeat(100_000))[0]?.length).toBeLessThan(120);
  });
});
