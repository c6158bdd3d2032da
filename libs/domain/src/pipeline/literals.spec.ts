import { describe, expect, it } from 'vitest';
import { givenParts, readCommandLine } from './command-line.ts';
import { literalText, readLiteral, type LiteralRule } from './literals.ts';

describe('a literal', () => {
  it.each<[unknown, LiteralRule, string]>([
    ['a b', { type: 'string' }, 'a b'],
    [5, { type: 'string' }, '5'],
    ['5', { type: 'integer' }, '5'],
    [-5, { type: 'integer' }, '-5'],
    ['0.5', { type: 'number' }, '0.5'],
    ['1e3', { type: 'number', max: 1000 }, '1000'],
    ['true', { type: 'boolean' }, 'True'],
    [false, { type: 'boolean' }, 'False'],
    ['b', { type: 'string', enum: ['a', 'b'] }, 'b'],
    ['2', { type: 'integer', enum: [1, 2] }, '2'],
  ])('%j of %j is %s on a command line', (value, rule, text) => {
    const read = readLiteral(value, rule);
    expect('value' in read && literalText(read.value)).toBe(text);
  });

  it.each<[unknown, LiteralRule]>([
    [null, { type: 'string' }],
    [{}, { type: 'string' }],
    ['a\0b', { type: 'string' }],
    ['x'.repeat(8_193), { type: 'string' }],
    ['1.5', { type: 'integer' }],
    [2 ** 53, { type: 'integer' }],
    ['0x10', { type: 'number' }],
    ['', { type: 'number' }],
    ['Infinity', { type: 'number' }],
    ['1e999', { type: 'number' }],
    [Number.NaN, { type: 'number' }],
    ['yes', { type: 'boolean' }],
    [1, { type: 'boolean' }],
    [0, { type: 'integer', min: 1 }],
    [10, { type: 'number', max: 9 }],
    ['c', { type: 'string', enum: ['a', 'b'] }],
  ])('%j of %j is refused', (value, rule) => expect(readLiteral(value, rule)).toHaveProperty('expected'));
});

describe('a command line', () => {
  const expand = (line: string, inputs: Record<string, string>): string =>
    givenParts(readCommandLine(line).parts, { inputs, outputs: { out: '/o' } })
      .map((part) => (part.kind === 'text' ? part.text : `<${part.value}>`))
      .join('');

  it('has its values in place, and optional parts only with theirs', () => {
    const line = 'run ${{inputs.a}} $[[--b ${{inputs.b}}]] --out ${{ outputs.out }}';
    expect(expand(line, { a: '1' })).toBe('run <1>  --out </o>');
    expect(expand(line, { a: '1', b: '2' })).toBe('run <1> --b <2> --out </o>');
    expect(expand('$[[--c ${{inputs.a}} ${{inputs.b}}]]', { a: '1' })).toBe('');
    expect(expand('echo ${{inputs.constructor}}', {})).toBe('echo ');
  });

  it('leaves what is the shell’s alone', () => {
    const line = "echo ${HOME} $(( 1 + 1 )) '{{x}}' [[ -f x ]]";
    expect(readCommandLine(line)).toEqual({ parts: [{ kind: 'text', text: line }], problems: [] });
  });
});
