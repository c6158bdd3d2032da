import { describe, expect, it } from 'vitest';
import { batchJobDefaults, type JobRecord } from '@mooring/domain';
import { demandOf } from './demand-of.ts';

function processesOf(miniBatches: number | undefined, miniBatchesDone: number): number {
  const listing = {
    files: 9,
    bytes: 9,
    items: 9,
    miniBatches: miniBatches ?? 0,
    itemKind: 'files' as const,
    sha256: '',
  };
  const job: Parameters<typeof demandOf>[0] = {
    name: 'night',
    settings: { ...batchJobDefaults, instanceCount: 4, maxConcurrencyPerInstance: 2 },
    properties: { 'mooring.batch.priority': '7' },
    progress: { succeeded: 0, failed: 0, skipped: 0, miniBatchesDone } satisfies JobRecord['progress'],
    ...(miniBatches === undefined ? {} : { listing }),
  };
  const { priority, processesMax } = demandOf(job);
  expect(priority).toBe(7);
  return processesMax;
}

describe('what a job wants', () => {
  it('is a process for each of its instances, as many as each may have', () => {
    expect([processesOf(100, 0), processesOf(undefined, 0)]).toEqual([8, 8]);
  });

  it('is no more than it has mini-batches left', () => {
    expect([processesOf(3, 0), processesOf(100, 95)]).toEqual([3, 5]);
  });

  it('is one at least while it runs, because its progress may be a while old', () => {
    expect([processesOf(3, 3), processesOf(3, 4)]).toEqual([1, 1]);
  });
});
