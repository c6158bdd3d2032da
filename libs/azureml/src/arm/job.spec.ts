import type { JobRecord } from '@mooring/domain';
import { describe, expect, it } from 'vitest';
import { batchJobToArm, jobToArm } from './index.ts';

const workspace = { subscription: 'local', resourceGroup: 'local', workspace: 'default' };
const job = {
  name: 'night-1',
  tags: {},
  properties: {},
  status: 'Completed',
  since: '2026-12-01T00:00:00Z',
  createdAt: '2026-12-01T00:00:00Z',
  createdBy: 'ada',
  input: { name: 'photos', type: 'uri_folder', uri: 'azureml:photos:1' },
  output: { container: 'c', folder: 'azureml/night-1/score' },
  settings: {
    outputAction: 'append_row',
    outputFileName: 'predictions.csv',
    retrySettings: { maxRetries: 3, timeoutS: 30 },
  },
} as unknown as JobRecord;
const home = 'azureml://subscriptions/local/resourcegroups/local/workspaces/default/datastores/c/paths';

const properties = (body: Record<string, unknown>) => body['properties'] as Record<string, unknown>;

describe('inputs and outputs of a job', () => {
  it('are the one input and the score of a model', () => {
    expect(properties(jobToArm(job, workspace, 'http://m'))).toMatchObject({
      inputs: { photos: { jobInputType: 'uri_folder', mode: 'ReadOnlyMount', uri: 'azureml:photos:1' } },
      outputs: {
        score: { jobOutputType: 'uri_folder', mode: 'ReadWriteMount', uri: `${home}/azureml/night-1/score` },
      },
    });
    expect(properties(batchJobToArm(job, workspace))).toMatchObject({
      inputData: { photos: { jobInputType: 'UriFolder', uri: 'azureml:photos:1' } },
      outputData: { score: { jobOutputType: 'UriFile', uri: `${home}/azureml/night-1/score/predictions.csv` } },
    });
    const summary = { ...job, settings: { ...job.settings, outputAction: 'summary_only' as const } };
    expect(properties(batchJobToArm(summary, workspace))['outputData']).toEqual({
      score: { jobOutputType: 'UriFolder', uri: `${home}/azureml/night-1/score` },
    });
  });

  it('stand beside what its caller wrote about it', () => {
    const described = { ...job, description: 'all photos of the night' };
    for (const shown of [jobToArm(described, workspace, 'http://m'), batchJobToArm(described, workspace)])
      expect(properties(shown)['description']).toBe('all photos of the night');
    expect(properties(jobToArm(job, workspace, 'http://m'))).not.toHaveProperty('description');
  });

  it('show nothing of what signs an address', () => {
    const input = { kind: 'data', name: 'raw', type: 'uri_file', uri: 'https://h/a.csv?sig=secret', direct: false };
    const pipeline = { inputs: { raw: input }, outputs: {} };
    for (const one of [
      { ...job, input },
      { ...job, pipeline },
    ] as unknown as JobRecord[]) {
      for (const shown of [jobToArm(one, workspace, 'http://m'), batchJobToArm(one, workspace)]) {
        expect(JSON.stringify(shown)).toContain('https://h/a.csv?...');
        expect(JSON.stringify(shown)).not.toContain('secret');
      }
    }
  });

  it('are all that a pipeline has, values among them', () => {
    const pipeline = {
      inputs: {
        raw: { kind: 'data', type: 'uri_folder', uri: 'azureml:photos:1', direct: false },
        how: { kind: 'literal', text: 'append' },
      },
      outputs: { scores: { type: 'uri_folder', container: 'c', folder: 'azureml/night-1/scores' } },
      steps: [
        { name: 'tidy', runs: { command: 'python tidy.py' } },
        { name: 'score', runs: {} },
      ],
    };
    const piped = { ...job, input: { name: '', type: 'uri_folder', uri: '' }, pipeline } as unknown as JobRecord;
    expect(properties(jobToArm(piped, workspace, 'http://m'))).toMatchObject({
      inputs: {
        raw: { jobInputType: 'uri_folder', mode: 'ReadOnlyMount', uri: 'azureml:photos:1' },
        how: { jobInputType: 'literal', value: 'append' },
      },
      outputs: { scores: { jobOutputType: 'uri_folder', uri: `${home}/azureml/night-1/scores` } },
      jobs: {
        tidy: { type: 'command', name: 'night-1:tidy' },
        score: { type: 'parallel', name: 'night-1:score' },
      },
    });
    expect(properties(batchJobToArm(piped, workspace))).toMatchObject({
      inputData: {
        raw: { jobInputType: 'UriFolder', uri: 'azureml:photos:1' },
        how: { jobInputType: 'Literal', value: 'append' },
      },
      outputData: { scores: { jobOutputType: 'UriFolder', uri: `${home}/azureml/night-1/scores` } },
    });
  });
});
