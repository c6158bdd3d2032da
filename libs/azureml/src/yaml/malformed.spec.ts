import { mkdirSync, symlinkSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fixture } from '@mooring/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { loadYaml, type YamlKind } from './index.ts';
import { malformedTexts, type MalformedFile } from './testing/malformed-texts.ts';
import { mutatedFiles } from './testing/mutations.ts';
import { linesOf, refusal } from './testing/refusal.ts';
import { yamlFolder } from './testing/yaml-folder.ts';

const folder = yamlFolder(fixture('azureml-yaml'));
afterAll(() => folder.remove());

/** A user waits a moment at most, however bad the file is. */
const readMsMax = 3000;

async function isRefused({ kind, content, says }: MalformedFile, name: string): Promise<void> {
  const file = folder.write(name, content);
  const startedAt = performance.now();
  const error = await refusal(loadYaml(file, { kind }));
  expect(performance.now() - startedAt).toBeLessThan(readMsMax);
  expect(['invalid_argument', 'unimplemented', 'too_large']).toContain(error.code);
  expect(error.message).toContain(name);
  const lines = linesOf(error);
  if (says !== undefined) expect(`${lines.join('\n')}\n${error.message}`).toMatch(says);
  expect(lines.join('').length).toBeLessThan(20_000);
  if (error.code !== 'too_large') expect(lines.length).toBeGreaterThan(0);
  // What would be right: in words, as the word that was meant, or as a list in the first of several.
  expect(lines.some((line) => /\(expected |did you mean|later version/.test(line)) || error.code === 'too_large').toBe(
    true,
  );
  for (const { path, problem } of error.problems) {
    expect(path).not.toBe('');
    expect(`${path} ${problem}`).not.toMatch(/undefined|\[object|\p{Cc}/u);
  }
}

describe('text that is no resource file', () => {
  it.each(malformedTexts)('refuses $title', async (file) => isRefused(file, 'text.yml'));
});

describe('good files spoilt in one way', () => {
  const seed = 20_261_124;
  const files = mutatedFiles(seed, 700);

  it.each(files.map((file, index) => ({ ...file, index })))('refuses $kind: $title', async (file) =>
    isRefused(file, `mutated-${file.index}.yml`),
  );

  it('names each of two mistakes', async () => {
    const text = 'name: 9\nauth_mode: word\ntraffic: {blue: 101, green: x}\ntgas: {}\n';
    const error = await refusal(loadYaml(folder.write('two.yml', text), { kind: 'online-endpoint' }));
    expect(error.problems.map(({ path }) => path)).toEqual([
      'tgas',
      'name',
      'auth_mode',
      'traffic.blue',
      'traffic.green',
    ]);
  });
});

describe('paths that lead where no resource file is', () => {
  const refusedPath = async (path: string, kind: YamlKind = 'model'): Promise<string> => {
    const error = await refusal(loadYaml(path, { kind }));
    return `${error.reason}: ${error.message}`;
  };

  it.each([
    ['nothing', () => join(folder.path, 'none.yml'), /there is no such file/],
    ['a folder', () => join(folder.path, 'serving'), /it is a folder/],
    ['a file in a file', () => join(folder.path, '01-online-endpoint-key.yml', 'x'), /is a file, not a folder/],
    ['an endless device', () => '/dev/zero', /device or pipe/],
    ['the null device', () => '/dev/null', /device or pipe/],
    ['a name with NUL', () => 'a\0b', /a character that no file name may hold/],
    ['a name that is too long', () => 'x'.repeat(10_000), /name is too long/],
    ['the empty name', () => '', /it is a folder/],
  ])('refuses %s', async (_title, path, says) => {
    expect(await refusedPath(path())).toMatch(says);
  });

  it('refuses a pipe that nobody writes to, without waiting', async () => {
    const pipe = join(folder.path, 'pipe.yml');
    execFileSync('mkfifo', [pipe]);
    expect(await refusedPath(pipe)).toMatch(/device or pipe/);
    const asModel = folder.write('pipe-model.yml', 'name: fern\npath: pipe.yml\n');
    const error = await refusal(loadYaml(asModel, { kind: 'model' }));
    expect(linesOf(error)[0]).toMatch(/^path: there is no file or folder, but a device, pipe or socket/);
  });

  it('refuses a link that leads to itself', async () => {
    const link = join(folder.path, 'loop.yml');
    symlinkSync(link, link);
    expect(await refusedPath(link)).toMatch(/a link that leads to itself/);
  });

  it('reads a file through a link', async () => {
    const link = join(folder.path, 'link.yml');
    symlinkSync(join(folder.path, '01-online-endpoint-key.yml'), link);
    expect(await loadYaml(link, { kind: 'online-endpoint' })).toMatchObject({ name: 'fern-scoring' });
  });

  it('refuses a scoring script that is a link out of its folder', async () => {
    mkdirSync(join(folder.path, 'linked'));
    symlinkSync('/etc/hostname', join(folder.path, 'linked', 'score.py'));
    const text = `
name: blue
endpoint_name: fern
model: azureml:fern:1
environment: azureml:env:1
code_configuration: {code: linked, scoring_script: score.py}
instance_type: x
`;
    const error = await refusal(loadYaml(folder.write('linked.yml', text), { kind: 'online-deployment' }));
    expect(linesOf(error)).toEqual([
      `code_configuration.scoring_script: 'score.py' is a link to /etc/hostname, outside ${folder.path}/linked (expected a file of that folder)`,
    ]);
  });

  it.each([
    ['is no YAML', 'dependencies: [', /env\/bad\.yaml has 1 problem: line 1/],
    ['is a list', '- python', /env\/bad\.yaml holds no mapping/],
    ['is empty', '', /holds no mapping/],
    ['has a key twice', 'name: a\nname: b', /name: is there twice/],
    ['is nested without end', '['.repeat(100_000), /nested deeper/],
    ['is no text', Buffer.from([0xff, 0xfe, 0, 1]), /UTF-16/],
    ['is too large', 'x'.repeat(2 ** 21), /has more than 1048576 bytes/],
  ])('refuses a conda file that %s', async (_title, content, says) => {
    folder.write('env/bad.yaml', content);
    const text = 'name: fern\nimage: python:3.11\nconda_file: env/bad.yaml\n';
    const error = await refusal(loadYaml(folder.write('conda.yml', text), { kind: 'environment' }));
    expect(linesOf(error)[0]).toMatch(/^conda_file: /);
    expect(linesOf(error)[0]).toMatch(says);
  });
});
