import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlatformError } from '@mooring/errors';
import { tempDir } from '@mooring/testing';
import type { BatchInvocation, InvocationInput } from '@mooring/azureml/yaml';
import { afterAll, describe, expect, it } from 'vitest';
import { findInputs } from './job-inputs.ts';

const folder = tempDir();
afterAll(() => folder.remove());
mkdirSync(join(folder.path, 'photos [1]'));
mkdirSync(join(folder.path, 'photos/deep'), { recursive: true });
writeFileSync(join(folder.path, 'rows.csv'), 'a\n1\n');

const invocation = (...inputs: InvocationInput[]): BatchInvocation => ({
  inputs,
  outputs: [],
  properties: {},
  baseDir: folder.path,
});
const at = (path: string): string => join(folder.path, path);

describe('inputs of a job', () => {
  it.each([
    [
      { name: 'a', path: 'photos' },
      { name: 'a', type: 'uri_folder', path: at('photos') },
    ],
    [
      { name: 'a', path: 'rows.csv' },
      { name: 'a', type: 'uri_file', path: at('rows.csv') },
    ],
    [
      { name: 'a', path: 'file:rows.csv' },
      { name: 'a', type: 'uri_file', path: at('rows.csv') },
    ],
    [
      { name: 'a', path: 'photos/**/*.jpg' },
      { name: 'a', type: 'uri_folder', path: at('photos'), pattern: '**/*.jpg' },
    ],
    // A folder that is there is that folder, whatever its name looks like.
    [
      { name: 'a', path: 'photos [1]' },
      { name: 'a', type: 'uri_folder', path: at('photos [1]') },
    ],
    [
      { name: 'a', path: 'azureml:photos:1' },
      { name: 'a', type: 'uri_folder', uri: 'azureml:photos:1' },
    ],
    [
      { name: 'a', path: 'https://host/a.csv' },
      { name: 'a', type: 'uri_file', uri: 'https://host/a.csv' },
    ],
    [
      { name: 'a', value: 'append' },
      { name: 'a', value: 'append' },
    ],
  ] as [InvocationInput, object][])('of %j are %j', async (input, found) => {
    expect(await findInputs(invocation(input))).toEqual([found]);
  });

  it('that lead nowhere, or to something other than their type says, are told all at once', async () => {
    const inputs: InvocationInput[] = [
      { name: 'none', path: 'none' },
      { name: 'pattern', path: 'none/*.jpg' },
      { name: 'file', path: 'rows.csv/*' },
      { name: 'device', path: '/dev/null' },
      { name: 'wrong', path: 'photos', type: 'uri_file' },
      { name: 'control', path: 'a\x07b' },
    ];
    const error = await findInputs(invocation(...inputs)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PlatformError);
    const { problems } = error as PlatformError;
    expect(problems.map(({ path }) => path)).toEqual(inputs.map(({ name }) => `inputs.${name}.path`));
    expect(JSON.stringify(problems)).not.toContain('\\u0007');
  });
});
