import { dirname, resolve } from 'node:path';
import { PlatformError } from '@mooring/errors';
import { fixture } from '@mooring/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { loadInvocation, localPathOf } from './index.ts';
import { malformedTexts } from './testing/malformed-texts.ts';
import { linesOf, refusal } from './testing/refusal.ts';
import { yamlFolder } from './testing/yaml-folder.ts';

const file = fixture('azureml-yaml/15-batch-invoke-inputs.yml');
const folder = yamlFolder(fixture('azureml-yaml/batchcode'));
afterAll(() => folder.remove());

describe('what a batch job is asked for with', () => {
  it('is inputs and outputs of a file', async () => {
    expect(await loadInvocation(file, {})).toEqual({
      inputs: [
        { name: 'raw', type: 'uri_folder', path: 'data/unlabelled' },
        { name: 'how', value: 'append' },
      ],
      outputs: [{ name: 'scores', type: 'uri_folder', path: 'azureml://datastores/workspaceblobstore/paths/out/run1' }],
      properties: {},
      baseDir: dirname(file),
    });
  });

  it('is what flags say, and --set wins over all of it', async () => {
    const read = await loadInvocation(file, {
      outputPath: 'azureml://datastores/workspaceblobstore/paths/elsewhere',
      fields: { mini_batch_size: 5, instance_count: 3, job_name: 'night-1', experiment_name: undefined },
      sets: [
        'inputs.raw.path=azureml:kelp:3',
        'output_file_name=out.csv',
        'retry_settings.max_retries=1',
        'mini_batch_size=7',
      ],
    });
    expect(read).toMatchObject({
      inputs: [{ path: 'azureml:kelp:3' }, { value: 'append' }],
      outputs: [{ name: 'scores', path: 'azureml://datastores/workspaceblobstore/paths/elsewhere' }],
    });
    expect(read.properties).toEqual({
      name: 'night-1',
      miniBatchSize: 7,
      outputFileName: 'out.csv',
      retrySettings: { maxRetries: 1 },
      compute: { instanceCount: 3 },
    });
  });

  it.each([
    ['photos', undefined, { name: 'UriFolder', path: resolve('photos') }],
    ['photos/*.jpg', undefined, { name: 'UriFolder', path: resolve('photos/*.jpg') }],
    ['file:photos', undefined, { name: 'UriFolder', path: resolve('photos') }],
    ['file:///data/a.csv', 'uri_file', { name: 'UriFile', path: '/data/a.csv', type: 'uri_file' }],
    ['azureml:photos@latest', 'uri_folder', { name: 'UriFolder', path: 'azureml:photos@latest', type: 'uri_folder' }],
    ['https://host/a.csv', 'uri_file', { name: 'UriFile', path: 'https://host/a.csv', type: 'uri_file' }],
  ])('takes %s (%s) as its only input without a file', async (input, inputType, wanted) => {
    expect((await loadInvocation(undefined, { input, inputType })).inputs).toEqual([wanted]);
  });

  it('may have no input at all, which a pipeline may not need', async () => {
    expect(await loadInvocation(undefined, {})).toEqual({ inputs: [], outputs: [], properties: {}, baseDir: '.' });
  });

  it.each([
    ['inputs: {a: {type: uri_folder}}', 'inputs.a: has no path of files, which its type asks for'],
    ['inputs: {a: {type: string}}', 'inputs.a: has no value'],
    ['inputs: {a: {path: x, default: y}}', 'inputs.a: has no path of files, which its type asks for'],
    ['inputs: {a: {type: colour, path: x}}', "inputs.a.type: 'colour' is not allowed"],
    ['inputs: {a: {type: mltable, path: x}}', 'inputs.a.type'],
    ['inputs: {a: [1]}', 'inputs.a: a list is not allowed'],
    ['inputs: [a]', 'inputs: a list is not allowed'],
    ['outputs: {a: {path: /tmp/out}}', "outputs.a.path: '/tmp/out' is no folder of a datastore"],
    ['mini_batch_size: 0', 'mini_batch_size: 0 is not allowed'],
    ['instance_count: many', "instance_count: 'many' is not allowed"],
    ['retry_settings: {timeout: -1}', 'retry_settings.timeout: -1 is not allowed'],
    ['output_file_name: a/b', "output_file_name: 'a/b' is not allowed"],
    ['job_name: ../x', "job_name: '../x' is not allowed"],
    ['input: x', "input: is not a field (did you mean 'inputs'?)"],
    ['- a', '(file): a list is not allowed'],
    ['job_name: a\n---\njob_name: b', '(file): holds several YAML documents'],
  ])('is refused where the file says %s', async (text, line) => {
    const error = await refusal(loadInvocation(folder.write('bad.yml', text), {}));
    expect(linesOf(error)[0]).toContain(line);
  });

  it.each(malformedTexts)('is refused, or is nothing, where the file holds $title', async ({ content }) => {
    const startedAt = performance.now();
    const read = await loadInvocation(folder.write('text.yml', content), {}).catch((thrown: unknown) => thrown);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    if (!(read instanceof PlatformError)) expect(read).toMatchObject({ inputs: [], outputs: [], properties: {} });
  });

  it.each(['/dev/zero', '/dev/null', '.'])('is not read from %s', async (path) => {
    expect((await refusal(loadInvocation(path, {}))).reason).toBe('FILE_NOT_FOUND');
  });

  it('is refused where flag and file speak of inputs', async () => {
    const error = await refusal(loadInvocation(file, { input: 'photos' }));
    expect(linesOf(error)).toEqual([expect.stringContaining('--input: comes beside inputs of the file')]);
  });
});

describe('a path', () => {
  it.each([
    ['a', 'a'],
    ['/a b/*.jpg', '/a b/*.jpg'],
    ['file:a', 'a'],
    ['file:///a', '/a'],
    ['/subscriptions/photos', '/subscriptions/photos'],
  ])('%s is of this machine', (path, local) => {
    expect(localPathOf(path)).toBe(local);
  });
  it.each([
    'azureml:a:1',
    'azureml://datastores/d/paths/p',
    'https://h/p',
    'wasbs://c@h/p',
    '/subscriptions/s/resourceGroups/g/providers/p/workspaces/w/data/a/versions/1',
  ])('%s is not', (path) => {
    expect(localPathOf(path)).toBeUndefined();
  });
});
