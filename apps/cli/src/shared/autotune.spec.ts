import { PlatformError } from '@mooring/errors';
import { describe, expect, it } from 'vitest';
import { propertiesOf, sweep, threadsTried, withProperties, type Measured, type Tuning } from './autotune.ts';
import { closedLoad } from './closed-load.ts';

const of = (tuning: Tuning, requestsPerS: number, failed = 0): Measured => {
  return { ...tuning, placement: 'threads', requestsPerS, p50Ms: 1, p99Ms: 2, failed };
};

describe('the sweep', () => {
  it('settles threads, then rows, then the wait, each at the best of what came before', async () => {
    const { best, table } = await sweep(4, async (tuning) =>
      of(
        tuning,
        100 * tuning.threads * (tuning.batchMaxRows === 8 ? 2 : 1) * (tuning.batchMaxDelayUs === 500 ? 1.5 : 1),
      ),
    );
    expect(best).toMatchObject({ threads: 4, batchMaxRows: 8, batchMaxDelayUs: 500 });
    expect(table.map((row) => [row.threads, row.batchMaxRows, row.batchMaxDelayUs])).toEqual([
      [1, 1, 0],
      [2, 1, 0],
      [4, 1, 0],
      [4, 8, 0],
      [4, 32, 0],
      [4, 8, 500],
      [4, 8, 2_000],
    ]);
  });

  it('keeps what is simple where the gain may be noise, and never takes what fails', async () => {
    const { best, table } = await sweep(2, async (tuning) =>
      of(tuning, tuning.threads > 1 ? 102 : 100, tuning.batchMaxRows > 1 ? 1 : 0),
    );
    expect(best).toMatchObject({ threads: 1, batchMaxRows: 1, batchMaxDelayUs: 0 });
    expect(table).toHaveLength(4);
  });

  it('tries half of the cores and all of them', () => {
    expect([1, 2, 3, 8].map(threadsTried)).toEqual([[], [2], [2, 3], [4, 8]]);
  });
});

describe('the file', () => {
  const tuned = propertiesOf({ threads: 2, batchMaxRows: 8, batchMaxDelayUs: 500 });

  it('keeps its comments, its order and its other properties', () => {
    const text = [
      '# the fast one',
      'name: luca',
      'properties:',
      '  owner: ada # who to ask',
      '  mooring.threads: "1"',
      'instance_count: 1 # for now',
      '',
    ].join('\n');
    expect(withProperties(text, tuned)).toBe(
      [
        '# the fast one',
        'name: luca',
        'properties:',
        '  owner: ada # who to ask',
        '  mooring.threads: "2"',
        '  mooring.batch.max-rows: "8"',
        '  mooring.batch.max-delay-us: "500"',
        'instance_count: 1 # for now',
        '',
      ].join('\n'),
    );
  });

  it('gets properties where it has none', () => {
    expect(withProperties('name: luca\n', tuned)).toContain('properties:\n  mooring.threads: "2"\n');
  });
});

describe('a closed load', () => {
  it('keeps as many requests open as asked, and tells refusals from failures', async () => {
    let [open, most, sent] = [0, 0, 0];
    const send = async (): Promise<void> => {
      const mine = (sent += 1);
      most = Math.max(most, (open += 1));
      await new Promise((resolve) => setTimeout(resolve, 2));
      open -= 1;
      if (mine === 5) throw new PlatformError('resource_exhausted', 'QUEUE_FULL', 'full', { retryAfterMs: 1 });
      if (mine === 9) throw new PlatformError('unavailable', 'NO_INSTANCE', 'gone', { retryAfterMs: 1 });
    };
    const result = await closedLoad(send, { inFlight: 3, ms: 200, signal: new AbortController().signal });
    expect(most).toBe(3);
    expect(result.requestsPerS).toBeGreaterThan(10);
    expect(result.p99Ms).toBeGreaterThanOrEqual(result.p50Ms);
    expect(result).toMatchObject({ failed: 1, refused: 1 });
  });

  it('ends with the signal', async () => {
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(closedLoad(async () => {}, { inFlight: 1, ms: 10_000, signal })).rejects.toThrow('stop');
  });
});
