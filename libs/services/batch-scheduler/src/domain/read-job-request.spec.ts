import { expect, it } from 'vitest';
import type { PlatformError } from '@mooring/errors';
import { readJobRequest } from './read-job-request.ts';

const inputData = { a: { jobInputType: 'UriFolder', uri: 'azureml:photos:1' } };

it('tells every problem of a request at once, those of its texts and tags among them', () => {
  const properties = {
    inputData,
    displayName: 5,
    description: 'x'.repeat(1_025),
    tags: { a: 1 },
    properties: { experimentName: {} },
    miniBatchSize: 0,
    outputFileName: 'a/b',
  };
  let thrown: unknown;
  try {
    readJobRequest(JSON.stringify({ properties }));
  } catch (error) {
    thrown = error;
  }
  expect((thrown as PlatformError).problems.map(({ path }) => path).toSorted()).toEqual([
    'properties.description',
    'properties.displayName',
    'properties.experimentName',
    'properties.miniBatchSize',
    'properties.outputFileName',
    'properties.tags',
  ]);
});

it.each([
  ['a tag', { inputData, tags: { a: 'x'.repeat(1_025) } }],
  ['the name of a tag', { inputData, tags: { ['x'.repeat(1_025)]: '' } }],
  ['the name of an input', { inputData: { ['x'.repeat(1_025)]: inputData.a } }],
])('refuses %s that would make the job’s document a large one', (_what, properties) => {
  expect(() => readJobRequest(JSON.stringify({ properties }))).toThrow(
    expect.objectContaining({ code: 'invalid_argument' }),
  );
});

it('reads what Azure’s SDK leaves null as absent', () => {
  const properties = { inputData, displayName: null, tags: null, properties: null, outputData: null, compute: null };
  expect(readJobRequest(JSON.stringify({ properties }))).toEqual({
    tags: {},
    properties: {},
    inputs: [{ name: 'a', kind: 'data', type: 'uri_folder', uri: 'azureml:photos:1' }],
    outputs: [],
    overrides: {},
  });
});
