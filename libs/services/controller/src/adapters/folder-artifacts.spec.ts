import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tempDir, type TempDir } from '@mooring/testing';
import type { Artifacts } from '../ports.ts';
import { createFolderArtifacts } from './folder-artifacts.ts';

let folder: TempDir;
let artifacts: Artifacts;

beforeEach(() => {
  folder = tempDir();
  artifacts = createFolderArtifacts(join(folder.path, 'artifacts'));
  mkdirSync(join(folder.path, 'artifacts', 'models', 'iris'), { recursive: true });
  writeFileSync(join(folder.path, 'artifacts', 'models', 'iris', 'model.onnx'), 'model');
  writeFileSync(join(folder.path, 'secret'), 'secret');
});
afterEach(() => folder.remove());

it('finds files and folders by container and path', async () => {
  expect(await artifacts.localPath('models/iris/model.onnx')).toMatch(/artifacts\/models\/iris\/model\.onnx$/);
  expect(await artifacts.localPath('models/iris')).toMatch(/artifacts\/models\/iris$/);
  await expect(artifacts.localPath('models/other')).rejects.toMatchObject({ code: 'not_found' });
});

it.each([
  'models/../../secret',
  '../secret',
  'models',
  '',
  '/etc/passwd',
  'models//iris',
  'models/iris/../../../secret',
])('refuses %j, which leads outside or nowhere', async (path) => {
  await expect(artifacts.localPath(path)).rejects.toMatchObject({ code: 'invalid_argument' });
});

it('does not follow links', async () => {
  symlinkSync(join(folder.path, 'secret'), join(folder.path, 'artifacts', 'models', 'link'));
  await expect(artifacts.localPath('models/link')).rejects.toMatchObject({ code: 'not_found' });
});

it('sees a file deep in a folder that was written anew, also after it was looked at', async () => {
  const deep = join(folder.path, 'artifacts', 'models', 'iris', 'a', 'b');
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'x'), 'one');
  const path = await artifacts.localPath('models/iris');
  const first = await artifacts.digest(path);
  expect(await artifacts.registeredDigest('models/iris', first)).toBe(first);
  writeFileSync(join(deep, 'x'), 'two');
  const second = await artifacts.digest(path);
  expect(second).not.toBe(first);
  expect(await artifacts.registeredDigest('models/iris', second)).toBe(first);
});

it('tells different contents apart and equal ones not, wherever they lie', async () => {
  const models = join(folder.path, 'artifacts', 'models');
  const write = (name: string, content: string): string => {
    mkdirSync(join(models, name));
    writeFileSync(join(models, name, 'model.onnx'), content);
    return join(models, name);
  };
  const first = await artifacts.digest(write('a', 'model'));
  expect(await artifacts.digest(write('b', 'model'))).toBe(first);
  expect(await artifacts.digest(write('c', 'Model'))).not.toBe(first);
  expect(await artifacts.digest(join(models, 'a'))).toBe(first);
});
