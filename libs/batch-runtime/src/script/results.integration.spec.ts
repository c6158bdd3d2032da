import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileBatch } from '../testing.ts';
import { named, useScripts } from './testing.ts';

const { files, three, settings, started } = useScripts();

/** Looks like pandas' to the driver, which must not need pandas. */
const frame = `
class Frame:
  columns = ["file", "type", "p"]
  def __init__(self, rows): self.rows = rows
  def __len__(self): return len(self.rows)
  def itertuples(self, index, name): return iter(self.rows)
`;
const array = `
class Array:
  def __init__(self, rows): self.rows = rows
  def __len__(self): return len(self.rows)
  def tolist(self): return self.rows
`;

describe('what run() returns', () => {
  it('is written with a line for each element, whole and hashed', async () => {
    const test = await started(`${named}  return [f"{os.path.basename(p)},{os.path.getsize(p)}" for p in mini_batch]`);
    const outcome = await test.run(fileBatch(three(), { index: 7 }));
    if (outcome.kind !== 'done') throw new Error(outcome.message);
    expect(outcome).toMatchObject({ succeeded: 3, failed: 0 });
    expect(outcome.errors).toBeUndefined();
    expect(test.lines(outcome.part)).toEqual(['a.txt,1', 'b.txt,2', 'c.txt,3']);
    const bytes = readFileSync(join(test.parts, outcome.part?.file ?? ''));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(outcome.part).toMatchObject({ bytes: bytes.length, lines: 3, sha256 });
    expect(outcome.part?.file).toMatch(/^7\.[0-9a-f-]{36}\.part$/);
  });

  it.each([
    ['dicts and numbers as str() has them', '[{"n": 1}, 2.5, None]', ["{'n': 1}", '2.5', 'None']],
    ['a tuple', '("x", "y", "z")', ['x', 'y', 'z']],
    ['an array', 'Array([1, 2, 3])', ['1', '2', '3']],
    ['an array of rows', 'Array([[1, 0.5], [2, 0.25], [3, 0]])', ['[1, 0.5]', '[2, 0.25]', '[3, 0]']],
    ['line ends inside an element', '["a\\nb", "c\\r\\nd", "e"]', ['a\\nb', 'c\\r\\nd', 'e']],
    ['empty elements', '["", "", ""]', ['', '', '']],
    ['texts of all alphabets', '["größe", "形", "\\U0001f600"]', ['größe', '形', '😀']],
    ['half a character', '["\\ud800", "", ""]', ['\\ud800', '', '']],
    [
      'a data frame, fields with one blank between them and without its header',
      'Frame([("a.txt", "suv", 0.5), ("b.txt", None, float("nan")), ("c.txt", "x\\ny", 1)])',
      ['a.txt suv 0.5', 'b.txt  ', 'c.txt x\\ny 1'],
    ],
    [
      'fields with blanks in them',
      'Frame([("a b", "say \\"x\\"", 1), ("", "", 2), ("c", "d", 3)])',
      ['"a b" "say ""x""" 1', '  2', 'c d 3'],
    ],
    ['several lines for a file', '["1", "2", "3", "4", "5"]', ['1', '2', '3', '4', '5']],
  ])('may be %s', async (_what, result, lines) => {
    const test = await started(`${frame}${array}${named}  return ${result}`);
    const outcome = await test.run(fileBatch(three()));
    if (outcome.kind !== 'done') throw new Error(outcome.message);
    expect(test.lines(outcome.part)).toEqual(lines);
    expect(outcome).toMatchObject({ succeeded: 3, failed: 0 });
  });

  it('is only counted with summary_only', async () => {
    const test = await started(`${named}  return mini_batch[1:]`, settings({ outputAction: 'summary_only' }));
    const outcome = await test.run(fileBatch(three()));
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 2, failed: 1 });
    expect(outcome).not.toHaveProperty('part');
    expect(test.errors(outcome).map(({ source }) => source)).toEqual(['a.txt']);
  });

  it('may be large', async () => {
    const test = await started(`${named}  return ["x" * 1_000_000] * 64`);
    expect(await test.run(fileBatch(three()))).toMatchObject({ kind: 'done', part: { lines: 64, bytes: 64_000_064 } });
  });
});

describe('fewer results than files', () => {
  it('fail the files that no result names', async () => {
    const test = await started(
      `${named}  return [{"file": os.path.basename(p)} for p in mini_batch if "b" not in p[-5:]]`,
    );
    const outcome = await test.run(fileBatch(three(), { firstItem: 40 }), { runs: 2 });
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 2, failed: 1 });
    expect(test.errors(outcome)).toEqual([
      {
        item: 41,
        source: 'b.txt',
        reason: 'ScriptReturnedFewer',
        message: 'run() returned 2 results for 3 files and none for this one',
        runs: 2,
      },
    ]);
  });

  it('know a name from one that it is a part of', async () => {
    const test = await started(
      `${named}  return [os.path.basename(p) for p in mini_batch if not p.endswith("/1.png")]`,
    );
    const outcome = await test.run(fileBatch(files({ '1.png': '', '11.png': '', '1.png.bak': '', 'a-1.png': '' })));
    expect(test.errors(outcome).map(({ source }) => source)).toEqual(['1.png']);
  });

  it('are counted where results name no file', async () => {
    const test = await started(`${named}  return ["suv"]`);
    const outcome = await test.run(fileBatch(three()));
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 1, failed: 2 });
    expect(test.errors(outcome).map(({ source, reason }) => [source, reason])).toEqual([
      ['a.txt .. sub/c.txt', 'ScriptReturnedFewer'],
      ['a.txt .. sub/c.txt', 'ScriptReturnedFewer'],
    ]);
  });

  it('are counted where two files have the same name', async () => {
    const test = await started(`${named}  return [os.path.basename(p) for p in mini_batch[1:]]`);
    const outcome = await test.run(fileBatch(files({ 'x/1.png': '', 'y/1.png': '' })));
    expect(test.errors(outcome)).toMatchObject([{ source: 'x/1.png .. y/1.png', reason: 'ScriptReturnedFewer' }]);
  });

  it('may be none at all', async () => {
    const test = await started(`${named}  return []`);
    const outcome = await test.run(fileBatch(three()));
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 0, failed: 3 });
    expect(outcome).not.toHaveProperty('part');
    expect(test.errors(outcome).map(({ item }) => item)).toEqual([0, 1, 2]);
  });
});
