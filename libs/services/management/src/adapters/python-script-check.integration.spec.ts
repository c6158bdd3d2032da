import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture, tempDir, type TempDir } from '@mooring/testing';
import { createPythonScriptCheck } from './python-script-check.ts';

let folder: TempDir;
beforeAll(() => void (folder = tempDir()));
afterAll(() => folder.remove());

const check = createPythonScriptCheck({ environment: process.env, deadlineMs: 10_000 });

function script(name: string, text: string | Buffer): string {
  const file = join(folder.path, name);
  writeFileSync(file, text);
  return file;
}

describe('a scoring script', () => {
  it('that parses is sound, and is not run', async () => {
    const trace = join(folder.path, 'ran');
    const text = `open(${JSON.stringify(trace)}, "w")\nimport nothing_of_that_name\ndef run(x):\n    return x\n`;
    expect(await check(script('sound.py', text))).toBeUndefined();
    expect(existsSync(trace)).toBe(false);
    expect(await check(script('empty.py', ''))).toBeUndefined();
  });

  it('may be in the encoding that it names', async () => {
    const latin = Buffer.from('# -*- coding: latin-1 -*-\nname = "f\xfcr"\n', 'latin1');
    expect(await check(script('latin.py', latin))).toBeUndefined();
    expect(await check(script('broken.py', Buffer.from('name = "f\xfcr"\n', 'latin1')))).toMatch(/syntax error/);
  });

  it('with an error is told off with line and column', async () => {
    expect(await check(fixture('slow-and-bad/scripts/syntax_error.py'))).toMatch(
      /^syntax error in line 3, column \d+: /,
    );
    expect(await check(script('return.py', 'x = 1\nreturn x\n'))).toMatch(/line 2/);
    expect(await check(script('null.py', 'x = 1\0'))).toMatch(/syntax error/);
  });

  it('made to break the parser is refused, and nothing else breaks', async () => {
    expect(await check(script('deep.py', `x = ${'('.repeat(50_000)}${')'.repeat(50_000)}\n`))).toBeDefined();
    expect(await check(script('large.py', `x = "${'a'.repeat(5_000_000)}"\n`))).toMatch(/more than/);
    expect(await check(script('sound2.py', 'x = 1\n'))).toBeUndefined();
  });

  it('waits its turn when many come at once', async () => {
    const file = script('many.py', 'x = 1\n');
    const verdicts = await Promise.all(Array.from({ length: 12 }, () => check(file)));
    expect(verdicts).toEqual(Array.from({ length: 12 }));
  });

  it('that cannot be checked is not called sound', async () => {
    const file = script('ok.py', 'x = 1\n');
    const without = createPythonScriptCheck({ environment: process.env, deadlineMs: 10_000, python: 'no-such-python' });
    await expect(without(file)).rejects.toMatchObject({ reason: 'PYTHON_MISSING' });
    const hasty = createPythonScriptCheck({ environment: process.env, deadlineMs: 1 });
    await expect(hasty(file)).rejects.toMatchObject({ code: 'unavailable', reason: 'SCRIPT_CHECK_TIMEOUT' });
  });
});
