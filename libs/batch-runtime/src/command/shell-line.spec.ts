import { execFileSync } from 'node:child_process';
import { readCommandLine } from '@mooring/domain';
import { describe, expect, it } from 'vitest';
import { argumentWords } from './argument-words.ts';
import { shellLine } from './shell-line.ts';

/** What a shell makes of the line: a word a line. */
function words(line: string, value: string): string[] {
  const { text, variables } = shellLine(readCommandLine(line).parts, new Set(['inputs.x']));
  const env = Object.fromEntries([...variables.values()].map((name) => [name, value]));
  return execFileSync('bash', ['--norc', '-c', text], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    encoding: 'utf8',
  })
    .split('\n')
    .slice(0, -1);
}

const nasty = [
  'a b',
  '$(touch /tmp/x)',
  '`id`',
  "'; id; '",
  '"; id; "',
  '$HOME',
  '\\',
  '*',
  '-n',
  '${x}',
  "it's",
  '|',
  '',
];

describe('a value on a command line', () => {
  it.each(nasty)('%j is one word, whatever is in it', (value) => {
    expect(words("printf '%s\\n' ${{inputs.x}}", value)).toEqual([value]);
    expect(words('printf \'%s\\n\' "${{inputs.x}}"', value)).toEqual([value]);
    expect(words("printf '%s\\n' '${{inputs.x}}'", value)).toEqual([value]);
    expect(words("printf '%s\\n' --x=${{inputs.x}}/y", value)).toEqual([`--x=${value}/y`]);
    expect(words("printf '%s\\n' \"it's <${{inputs.x}}>\" 'a \"${{inputs.x}}\"'", value)).toEqual([
      `it's <${value}>`,
      `a "${value}"`,
    ]);
  });

  it.each(nasty)('%j is never run, even where quotes are told wrongly', (value) => {
    const said = words('cat <<END\n${{inputs.x}}\nEND', value).join('\n');
    expect(said.replace(/^"|"$/g, '')).toBe(value);
    expect(words('printf \'%s\\n\' "$(printf %s "${{inputs.x}}")"', value).join('\n')).not.toMatch(/uid=/);
  });

  it('is nothing where an optional input is not given, with its flag', () => {
    expect(words("printf '%s\\n' a $[[--y ${{inputs.y}}]] $[[--x ${{inputs.x}}]] b", 'v')).toEqual([
      'a',
      '--x',
      'v',
      'b',
    ]);
  });
});

describe('arguments of a script', () => {
  it.each<[string, string[]]>([
    ['--a ${{inputs.x}}  --b', ['--a', 'a "b', '--b']],
    ['--a=${{inputs.x}}', ['--a=a "b']],
    ['"c d" \'e\'f ""', ['c d', 'ef', '']],
    ['$[[--y ${{inputs.y}}]]', []],
    ['', []],
  ])('%j are words', (line, expected) => {
    expect(argumentWords(line, { inputs: { x: 'a "b' }, outputs: {} })).toEqual(expected);
  });
});
