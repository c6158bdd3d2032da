import { expect, it } from 'vitest';
import { specFromArm } from './index.ts';

const problemsOf = (condaFile: string) =>
  specFromArm('environment', { properties: { image: 'python:3.12', condaFile } }).problems;

it.each(['', 'name: x\n', 'dependencies:\n- python=3.12\n- pip:\n  - numpy==2.4.6\n', '{"dependencies": ["numpy"]}'])(
  'a conda file that can be read is taken: %j',
  (text) => {
    expect(problemsOf(text)).toEqual([]);
  },
);

it.each([
  ['{{{{', 'properties.condaFile'],
  ['42', 'properties.condaFile'],
  ['- a\n- b', 'properties.condaFile'],
  ['a: 1\n---\nb: 2', 'properties.condaFile'],
  ['name: a\nname: b', 'properties.condaFile'],
  ['dependencies: numpy', 'properties.condaFile.dependencies'],
])('a conda file that cannot be read is refused with its path: %j', (text, path) => {
  expect(problemsOf(text).map((problem) => problem.path)).toEqual([path]);
});

it('a conda file whose aliases double themselves is refused at once', () => {
  const lines = ['a0: &a0 [x, x]'];
  for (let level = 1; level < 40; level += 1) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')}]`);
  }
  const startedAt = performance.now();
  expect(problemsOf(lines.join('\n'))).toHaveLength(1);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
