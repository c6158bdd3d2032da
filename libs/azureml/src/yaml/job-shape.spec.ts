import { describe, expect, it } from 'vitest';
import { jobShapeOf } from './index.ts';

describe('a job as it is printed', () => {
  it('has the field names of az ml, the same out of both spellings', () => {
    const shape = {
      name: 'night-1',
      display_name: 'night-1',
      type: 'pipeline',
      status: 'Running',
      tags: { team: 'shapes' },
      properties: {},
      inputs: {
        UriFolder: { type: 'uri_folder', path: 'azureml:photos:1' },
        how: { type: 'literal', value: 'append' },
      },
      outputs: { score: { type: 'uri_file', path: 'azureml://datastores/d/paths/p/predictions.csv' } },
      endpoint: 'cars',
      progress: { succeeded: 3, mini_batches_done: 1, items_per_s: 2.5 },
      creation_context: { created_at: '2026-12-01T00:00:00Z', created_by: 'ada' },
    };
    const common = { displayName: 'night-1', status: 'Running', tags: { team: 'shapes' } };
    const mooring = { endpoint: 'cars', progress: { succeeded: 3, miniBatchesDone: 1, itemsPerS: 2.5 } };
    const systemData = { createdAt: '2026-12-01T00:00:00Z', createdBy: 'ada' };
    const outputs = (type: string) => ({
      score: { jobOutputType: type, uri: 'azureml://datastores/d/paths/p/predictions.csv' },
    });
    const inputs = (folder: string, literal: string) => ({
      UriFolder: { jobInputType: folder, uri: 'azureml:photos:1' },
      how: { jobInputType: literal, value: 'append' },
    });
    const data = { inputData: inputs('UriFolder', 'Literal'), outputData: outputs('UriFile') };
    const management = { jobType: 'Pipeline', inputs: inputs('uri_folder', 'literal'), outputs: outputs('uri_file') };
    for (const own of [data, management]) {
      const body = { name: 'night-1', properties: { ...common, ...own, mooring }, systemData };
      expect(jobShapeOf(body)).toEqual(shape);
    }
  });

  it('of a pipeline has no settings and no model of its own', () => {
    const mooring = { model: '', settings: { miniBatchSize: 10 }, attempt: 1 };
    expect(jobShapeOf({ name: 'night-1', properties: { mooring } })).toEqual({
      name: 'night-1',
      type: 'pipeline',
      tags: {},
      properties: {},
      inputs: {},
      outputs: {},
      attempt: 1,
    });
  });

  it.each([undefined, null, 'x', [], { properties: [] }])('is something for an answer that is no job: %j', (body) => {
    expect(jobShapeOf(body)).toEqual({ type: 'pipeline', tags: {}, properties: {}, inputs: {}, outputs: {} });
  });
});
