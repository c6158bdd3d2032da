import { pino } from 'pino';
import { expect, it } from 'vitest';
import { batchJobDefaults, type JobRecord } from '@mooring/domain';
import type { Entry } from '@mooring/messaging';
import { JobLoop } from './job-loop.ts';

type Tell = (key: string, entry: Entry<JobRecord>) => void;

function running(name: string): Entry<JobRecord> {
  const now = new Date().toISOString();
  const value: JobRecord = {
    name,
    displayName: name,
    experimentName: 'night',
    tags: {},
    properties: {},
    endpoint: 'night',
    deployment: 'luca',
    createdAt: now,
    createdBy: 'spec',
    fingerprint: '',
    input: { name: 'raw', type: 'uri_folder', uri: 'azureml://datastores/d/paths/p' },
    output: { container: 'd', folder: 'out' },
    settings: batchJobDefaults,
    model: 'cars/1',
    status: 'Running',
    since: now,
    attempt: 1,
    pushedTo: 0,
    progress: { succeeded: 0, failed: 0, skipped: 0, miniBatchesDone: 0 },
    usage: { instanceS: 0, items: 0, bytes: 0 },
  };
  return { value, revision: 1, createdAt: new Date() };
}

it.each(Array.from({ length: 12 }, (_, turns) => turns))(
  'goes on with every job that it is told of, the second one %i turns after the first',
  async (turns) => {
    const begun: string[] = [];
    let tell: Tell = () => undefined;
    const loop = new JobLoop({
      book: {} as never,
      jobs: {
        watch: async (_options: unknown, onChange: unknown) => {
          tell = onChange as Tell;
          return { stop: () => undefined };
        },
      },
      run: async (name) => {
        begun.push(name);
        await new Promise(() => undefined);
      },
      activeMax: 4,
      clock: () => new Date(),
      log: pino({ enabled: false }),
    });
    await loop.start();
    tell('job.first', running('first'));
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    tell('job.second', running('second'));
    await new Promise(setImmediate);
    expect(begun).toEqual(['first', 'second']);
  },
);
