import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixture, tempDir } from '@mooring/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { checkScriptSyntax } from './index.ts';

const folder = tempDir();
afterAll(() => folder.remove());
const script = (content: string | Buffer): string => {
  const file = join(folder.path, 'score.py');
  writeFileSync(file, content);
  return file;
};
const check = (file: string) => checkScriptSyntax(file, 'code_configuration.scoring_script');

describe('checkScriptSyntax', () => {
  it('finds nothing wrong with a sound script, and does not run it', async () => {
    expect(await check(script('import os\nos.abort()\n'))).toBeUndefined();
    expect(await check(script(Buffer.from('# -*- coding: latin-1 -*-\nx = "\xe9"\n', 'latin1')))).toBeUndefined();
    expect(await check(fixture('slow-and-bad/scripts/raise_at_import.py'))).toBeUndefined();
  });

  it('says where the syntax is wrong', async () => {
    expect(await check(script('def run(data):\n    return (\n'))).toMatchObject({
      path: 'code_configuration.scoring_script',
      problem: expect.stringMatching(/score\.py, line 2, column \d+: '\(' was never closed/),
      expected: 'a script that Python can parse',
    });
    expect(await check(fixture('slow-and-bad/scripts/syntax_error.py'))).toMatchObject({
      problem: expect.stringContaining('syntax_error.py, line'),
    });
  });

  it.each<[string, string | Buffer]>([
    ['holds NUL', 'x = 1\0'],
    ['is no text', Buffer.from([0xff, 0xfe, 0x00])],
    ['is nested too deeply', `x = ${'('.repeat(5000)}`],
    ['names an encoding that there is none of', '# -*- coding: klingon -*-\n'],
  ])('refuses a script that %s', async (_title, content) => {
    expect(await check(script(content))).toMatchObject({ problem: expect.stringContaining('syntax error in') });
  });

  it('refuses a script that is not there or is huge', async () => {
    expect(await check(join(folder.path, 'none.py'))).toMatchObject({
      problem: expect.stringContaining('may not be read'),
    });
    expect(await check(script(Buffer.alloc(5 * 1024 * 1024, 0x20)))).toMatchObject({
      expected: expect.stringContaining('at most'),
    });
  });
});
