import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assetNameRule, endpointNameRule, isAssetName, isEndpointName } from '@mooring/domain';
import { describe, expect, it } from 'vitest';
import { nouns } from './command-table.ts';
import type { Command, Flag } from './command.ts';
import { parseFlags } from './parse-flags.ts';
import { assetRule, endpointRule, globalFlags } from './shared/flags.ts';
import { runLine } from './testing/run-line.ts';

const source = fileURLToPath(new URL('.', import.meta.url));

const commands: { path: string; command: Command }[] = [];
for (const [name, noun] of Object.entries(nouns)) {
  if (noun.load !== undefined) commands.push({ path: name, command: (await noun.load()).command });
  for (const [verb, load] of Object.entries(noun.verbs ?? {}))
    commands.push({ path: `${name} ${verb}`, command: (await load()).command });
}

describe('the table of commands', () => {
  it('has every file of commands/, at its own path', () => {
    const files = readdirSync(join(source, 'commands'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
      .map((file) => file.replace(/\.ts$/, '').split('/').join(' '));
    expect(files.toSorted()).toEqual(commands.map(({ path }) => path).toSorted());
  });

  it.each(commands)('describes $path in one line, with examples that its own flags take', ({ path, command }) => {
    expect(command.summary).toMatch(/^[A-Z][^\n]{5,90}[^.\n]$/);
    expect(command.examples.length).toBeGreaterThan(0);
    for (const example of command.examples) {
      const line = /mooring (.*?)\)?$/.exec(example)?.[1] ?? '';
      const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
      expect(words.slice(0, path.split(' ').length).join(' ')).toBe(path);
      const argv = words.slice(path.split(' ').length);
      parseFlags(argv, { ...globalFlags, ...command.flags });
    }
  });

  it.each(commands)('gives no two flags of $path one name', ({ command }) => {
    const names = Object.values<Flag>({ ...globalFlags, ...command.flags }).flatMap((flag) => flag.names);
    const twice = names.filter((name, index) => names.indexOf(name) !== index);
    expect(twice).toEqual([]);
    for (const name of names) expect(name).toMatch(/^(--[a-z][a-z-]+|-[a-z])$/);
  });

  it.each(commands)('shows the flags and the examples of $path with --help', async ({ path, command }) => {
    const { code, out, err } = await runLine([...path.split(' '), '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`mooring ${path}: ${command.summary}`);
    for (const example of command.examples) expect(out).toContain(example);
    for (const flag of Object.values(command.flags)) {
      if (flag.hidden === true) expect(out).not.toContain(`${flag.names[0]} `);
      else expect(out).toContain(flag.names.join(', '));
    }
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(240);
  });

  it('lists every noun with --help, -h, help and nothing at all', async () => {
    const { out } = await runLine(['--help']);
    for (const name of Object.keys(nouns)) expect(out).toContain(name);
    for (const argv of [['-h'], ['help'], []]) expect(await runLine(argv)).toEqual({ code: 0, out, err: '' });
  });

  it('lists the verbs of a noun', async () => {
    const { code, out } = await runLine(['model', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('model archive');
    expect(await runLine(['help', 'model'])).toEqual({ code: 0, out, err: '' });
    expect(await runLine(['model'])).toEqual({ code: 0, out, err: '' });
  });

  it('tells its version', async () => {
    expect(JSON.parse((await runLine(['--version'])).out)).toEqual(JSON.parse((await runLine(['version'])).out));
  });

  it('knows the names that the domain knows', () => {
    expect(endpointRule.expected).toBe(endpointNameRule);
    expect(assetRule.expected).toBe(assetNameRule);
    for (const name of [
      'a',
      'ab',
      'abc',
      'a-c',
      'a--b',
      'ab-',
      '-ab',
      '9ab',
      'x'.repeat(32),
      'x'.repeat(33),
      '..',
      'ä1b',
      '',
    ]) {
      expect([name, endpointRule.test(name)]).toEqual([name, isEndpointName(name)]);
      expect([name, assetRule.test(name)]).toEqual([name, isAssetName(name)]);
    }
  });
});

describe('what --help loads', () => {
  it('is the command line’s own files and the error table, so that it stays quick', () => {
    const packages = new Set<string>();
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      const text = readFileSync(file, 'utf8').replaceAll(/^import type .*?;$/gms, '');
      for (const [, imported = ''] of text.matchAll(/^(?:import|export) [^;]*?from '([^']+)'/gms)) {
        if (imported.startsWith('.')) visit(join(dirname(file), imported));
        else packages.add(imported);
      }
    };
    visit(join(source, 'main.ts'));
    visit(join(source, 'help.ts'));
    expect([...packages].toSorted()).toEqual(['@mooring/errors']);
    expect([...seen].filter((file) => file.includes('/commands/'))).toEqual([]);
  });
});
