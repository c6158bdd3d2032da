import { describe, expect, it } from 'vitest';
import type { MiniBatchRecord } from '@mooring/domain';
import { addUsage, usageOfRecord } from './job-usage.ts';

const record: MiniBatchRecord = {
  index: 0,
  attempt: 2,
  items: 3,
  succeeded: 2,
  failed: 1,
  skipped: 0,
  bytes: 70,
  runs: 1,
  worker: 'w',
  startedAt: '2026-01-01T00:00:00.000Z',
  endedAt: '2026-01-01T00:00:01.250Z',
};

describe('what a mini-batch took', () => {
  it('counts in the attempt in which it ran, and in no other', () => {
    expect(usageOfRecord(record, 2)).toEqual({ instanceS: 1.25, items: 3, bytes: 70 });
    expect(usageOfRecord(record, 3)).toEqual({ instanceS: 0, items: 0, bytes: 0 });
  });

  it('is nothing where nobody ran it, and never less than nothing', () => {
    expect(usageOfRecord({ ...record, skipped: 3 }, 2)).toEqual({ instanceS: 0, items: 0, bytes: 0 });
    expect(usageOfRecord({ ...record, endedAt: '2025-01-01T00:00:00.000Z' }, 2).instanceS).toBe(0);
  });

  it('adds up to the millisecond', () => {
    const tenth = { instanceS: 0.1, items: 1, bytes: 1 };
    expect(addUsage({ instanceS: 0.2, items: 1, bytes: 1 }, tenth)).toEqual({ instanceS: 0.3, items: 2, bytes: 2 });
    expect(addUsage(tenth)).toEqual(tenth);
  });
});
